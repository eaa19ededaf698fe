"""How fit a face is for recognition, 0 to 1.

The weighted geometric mean of five parts, so that one that is bad cannot be made up for. The parts
are among the capture-related measures of ISO/IEC 29794-5; each is 0 at a value that is useless and
1 at one that is enough:

- size: the distance between the eyes in the source, in pixels; 8 is useless, 40 enough;
- sharpness: the share of the crop's contrast that is fine detail (variance of the Laplacian over
  variance, after Pech-Pacheco et al. 2000), by a logistic curve over its logarithm;
- pose: how far the nose is from the middle line of the eyes and mouth (yaw), and from its usual
  height between them (pitch);
- exposure: mean brightness, contrast, and the share of pixels that are burnt to white;
- confidence: the detector's score.
"""

from __future__ import annotations

from math import exp, hypot, log10

import numpy as np

from workers.vision.arrays import Floats, Pixels

_WEIGHTS = {"size": 0.25, "sharpness": 0.35, "pose": 0.15, "exposure": 0.15, "confidence": 0.1}

_EYES_USELESS, _EYES_ENOUGH = 8.0, 40.0
_DETAIL_HALF, _DETAIL_WIDTH = -1.6, 0.35  # log10 of Laplacian variance over variance
# What rounding to whole grey levels adds: its variance (1 / 12) times the squared kernel (20).
_ROUNDING_DETAIL = 20 / 12
_YAW_FRONTAL, _YAW_PROFILE = 0.10, 0.50  # nose offset, in distances between the eyes
_NOSE_HEIGHT = 0.49  # of the way from eyes to mouth, in the alignment template
_PITCH_FRONTAL, _PITCH_EXTREME = 0.12, 0.45
_DARK, _DIM = 5.0, 60.0
_WHITE = 250
_BURNT_USELESS, _BURNT_FEW = 0.6, 0.05
_FLAT, _CONTRASTY = 2.0, 25.0
_SCORE_NONE, _SCORE_GOOD = 0.5, 0.9
_SMALLEST = 1e-3  # no part may put an end to the product


def face_quality(crop: Pixels, landmarks: Floats, confidence: float) -> float:
    """Return the quality of a face from its aligned crop, its landmarks in the source and score."""
    import cv2

    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    parts = {
        "size": _size(landmarks),
        "sharpness": _sharpness(np.asarray(grey, dtype=np.uint8)),
        "pose": _pose(landmarks),
        "exposure": _exposure(np.asarray(grey, dtype=np.uint8)),
        "confidence": _ramp(confidence, _SCORE_NONE, _SCORE_GOOD),
    }
    logarithm = sum(_WEIGHTS[name] * log10(max(part, _SMALLEST)) for name, part in parts.items())
    return round(float(10**logarithm), 4)


def _ramp(value: float, zero: float, one: float) -> float:
    """Rise linearly from 0 at `zero` to 1 at `one`; `zero` may be the larger."""
    return min(1.0, max(0.0, (value - zero) / (one - zero)))


def _size(landmarks: Floats) -> float:
    return _ramp(_distance(landmarks[0], landmarks[1]), _EYES_USELESS, _EYES_ENOUGH)


def _sharpness(grey: Pixels) -> float:
    import cv2

    inner = grey[16:-16, 16:-16].astype(
        np.float32
    )  # the middle of the crop is face, not background
    detail = float(cv2.Laplacian(inner, cv2.CV_32F).var()) - _ROUNDING_DETAIL
    ratio = detail / max(float(inner.var()), 1.0)
    return 1 / (1 + exp((_DETAIL_HALF - log10(max(ratio, 1e-6))) / _DETAIL_WIDTH))


def _pose(landmarks: Floats) -> float:
    """Measure the nose in the frame of the eyes and the mouth, so that roll does not count."""
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    across, down = landmarks[1] - landmarks[0], mouth - eyes
    frame = np.column_stack([across, down]).astype(np.float64)
    if abs(np.linalg.det(frame)) < 1:  # the five points lie on a line: a profile
        return 0.0
    yaw, height = np.linalg.solve(frame, landmarks[2] - eyes)
    return _ramp(abs(yaw), _YAW_PROFILE, _YAW_FRONTAL) * _ramp(
        abs(height - _NOSE_HEIGHT), _PITCH_EXTREME, _PITCH_FRONTAL
    )


def _exposure(grey: Pixels) -> float:
    inner = grey[16:-16, 16:-16]
    mean, contrast = float(inner.mean()), float(inner.std())
    burnt = float((inner >= _WHITE).mean())
    light = _ramp(mean, _DARK, _DIM) * _ramp(burnt, _BURNT_USELESS, _BURNT_FEW)
    return light * _ramp(contrast, _FLAT, _CONTRASTY)


def _distance(a: Floats, b: Floats) -> float:
    return hypot(float(a[0] - b[0]), float(a[1] - b[1]))
