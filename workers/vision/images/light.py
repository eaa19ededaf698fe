"""Lightens dark faces for the recogniser, and dark pictures for the detector.

A tone curve in two steps: a gain that brings the brightest hundredth to grey level 160, for too
little light, then a power of brightness (at most a square root) that brings the middle to 80, for
closed shadows. What is bright enough stays as it is, to the bit.

Measured on seven portraits under 17 kinds of light, bright ones included: mean similarity to
photographs of the same person .69 without it, .80 with it; gain alone reached .78.
"""

from __future__ import annotations

from math import log, pi, sqrt

import numpy as np
import numpy.typing as npt

from workers.vision.arrays import Pixels

_BRIGHT, _BRIGHT_SHARE = 160, 0.99
_MIDDLE, _MIDDLE_SHARE = 80, 0.5
_LOWEST_EXPONENT = 0.5  # a stronger curve shows more noise than face
_MARGIN = 16  # the outer pixels of an aligned crop are background
_DARK = 40  # median grey level below which a picture without a face deserves another look
_NOISE_BLUR = 1.2  # sigma in pixels: lightening multiplies the sensor's noise
_SMOOTHED, _SMOOTHED_SIGMA = 7, 3.0  # diameter and spatial deviation of the bilateral filter
_EDGE = 7.0  # deviations of the noise up to which a step counts as noise
_ROUNDING = 1 / 12  # the variance that whole grey levels add, which is no noise of the sensor
_NOISE_FILTER = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
_SAMPLED = 256  # pixels of a picture's side that are counted
_LEVELS = 256


def lightened_face(crop: Pixels) -> Pixels:
    """Return a (112, 112, 3) crop with its face lightened, or as it is when it is bright enough.

    Its noise is smoothed first, which lightening would multiply: by a bilateral filter that keeps
    edges, as strong as the noise that is seen.
    """
    table = _curve(_levels(crop[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]))
    return crop if table is None else _applied(table, _smoothed(crop))


def is_dark(picture: Pixels) -> bool:
    """Say whether at least half of a picture is close to black."""
    return _level(_sample(picture), _MIDDLE_SHARE) < _DARK


def lightened_picture(picture: Pixels) -> Pixels:
    """Return a picture smoothed and lightened, in which the detector sees more than noise."""
    import cv2

    smooth = np.asarray(cv2.GaussianBlur(picture, (0, 0), _NOISE_BLUR), dtype=np.uint8)
    table = _curve(_sample(smooth))
    return smooth if table is None else _applied(table, smooth)


def _smoothed(crop: Pixels) -> Pixels:
    import cv2

    reach = max(1.0, _EDGE * _noise(crop))
    smooth = cv2.bilateralFilter(np.ascontiguousarray(crop), _SMOOTHED, reach, _SMOOTHED_SIGMA)
    return np.asarray(smooth, dtype=np.uint8)


def _noise(crop: Pixels) -> float:
    """Estimate the deviation of a crop's noise in grey levels.

    Immerkær, "Fast Noise Variance Estimation", 1996: the mean of the absolute answers of a filter
    that sees neither planes nor edges along its axes.
    """
    import cv2

    grey = cv2.cvtColor(crop[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN], cv2.COLOR_BGR2GRAY)
    answers = cv2.filter2D(grey, cv2.CV_32F, _NOISE_FILTER)[1:-1, 1:-1]
    seen = float(sqrt(pi / 2) * np.abs(answers).mean() / 6)
    return sqrt(max(0.0, seen**2 - _ROUNDING))


def _sample(picture: Pixels) -> npt.NDArray[np.intp]:
    step = max(1, min(picture.shape[:2]) // _SAMPLED)
    return _levels(picture[::step, ::step])


def _levels(pixels: Pixels) -> npt.NDArray[np.intp]:
    """Count the pixels of each grey level and all below."""
    import cv2

    grey = np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_BGR2GRAY))
    return np.cumsum(np.bincount(grey.ravel(), minlength=_LEVELS))


def _level(below: npt.NDArray[np.intp], share: float) -> int:
    return int(np.searchsorted(below, share * below[-1]))


def _curve(below: npt.NDArray[np.intp]) -> npt.NDArray[np.uint8] | None:
    """Return the new level of each grey level, or None when all may stay."""
    gain = max(1.0, _BRIGHT / max(1, _level(below, _BRIGHT_SHARE)))
    middle = min(max(1, _level(below, _MIDDLE_SHARE)) * gain, _LEVELS - 2)
    exponent = log(_MIDDLE / 255) / log(middle / 255) if middle < _MIDDLE else 1.0
    exponent = max(_LOWEST_EXPONENT, exponent)
    if gain == 1.0 and exponent == 1.0:
        return None
    shares = np.minimum(np.arange(_LEVELS) * gain / 255, 1)
    return np.rint(255 * shares**exponent).astype(np.uint8)


def _applied(table: npt.NDArray[np.uint8], pixels: Pixels) -> Pixels:
    import cv2

    return np.asarray(cv2.LUT(np.ascontiguousarray(pixels), table), dtype=np.uint8)
