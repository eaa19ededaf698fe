"""Cuts a face out so that its features lie where the recogniser learned them."""

from __future__ import annotations

from math import ceil

import numpy as np
import numpy.typing as npt

from workers.vision.arrays import Floats, Pixels

CROP_SIZE = 112

_PLAIN_ABOVE = 0.75  # scale from which bilinear sampling skips no pixels worth counting
_FINEST = 8

# Where the five landmarks belong in a 112 x 112 crop. From InsightFace's face_align.py
# (https://github.com/deepinsight/insightface), after SphereFace's 96 x 112 template moved by 8 px;
# OpenCV's FaceRecognizerSF::alignCrop uses the same numbers.
TEMPLATE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    dtype=np.float64,
)


def similarity_transform(landmarks: Floats) -> npt.NDArray[np.float64]:
    """Return the 2 x 3 matrix that moves (5, 2) `landmarks` closest to the template.

    Rotation, one scale and translation, by least squares (Umeyama 1991, without reflection). In the
    plane that is one complex factor: with centred points z and w, a = sum(conj(z) w) / sum(|z|^2).
    """
    source = landmarks.astype(np.float64)
    z = (source - source.mean(axis=0)) @ np.array([1, 1j])
    w = (TEMPLATE - TEMPLATE.mean(axis=0)) @ np.array([1, 1j])
    spread = np.vdot(z, z).real
    factor = np.vdot(z, w) / spread if spread > 0 else 1.0 + 0j
    rotation = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    shift = TEMPLATE.mean(axis=0) - rotation @ source.mean(axis=0)
    return np.column_stack([rotation, shift])


def align(image: Pixels, landmarks: Floats) -> Pixels:
    """Return the (112, 112, 3) crop of the face with these (5, 2) landmarks; outside is black."""
    return sampled(image, similarity_transform(landmarks), CROP_SIZE)


def sampled(image: Pixels, matrix: npt.NDArray[np.float64], side: int) -> Pixels:
    """Return the (side, side, 3) view to which the 2 x 3 `matrix` moves a picture.

    A large face is sampled on a finer grid and averaged, since every pixel of the crop should stand
    for all of the source's pixels under it; a small one is enlarged by cubic interpolation. Around
    the crop's own scale this is OpenCV's alignCrop. Measured against plain bilinear sampling on
    changed photographs: similarity to the original 0.01 higher, with noise 0.04, at 24 px 0.02.
    """
    import cv2

    scale = float(np.hypot(*matrix[:, 0]))
    if scale > 1:
        return _warp(image, matrix, side, cv2.INTER_CUBIC)
    fine = min(_FINEST, ceil(1 / scale)) if scale < _PLAIN_ABOVE else 1
    if fine == 1:
        return _warp(image, matrix, side, cv2.INTER_LINEAR)
    matrix = matrix * fine
    matrix[:, 2] += (fine - 1) / 2  # the middle of a coarse pixel among its fine ones
    grid = _warp(image, matrix, side * fine, cv2.INTER_LINEAR)
    view = cv2.resize(grid, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(view, dtype=np.uint8)


def _warp(image: Pixels, matrix: npt.NDArray[np.float64], side: int, method: int) -> Pixels:
    import cv2

    return np.asarray(cv2.warpAffine(image, matrix, (side, side), flags=method), dtype=np.uint8)
