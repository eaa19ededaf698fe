"""Cuts a face out so that its features lie where the recogniser learned them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workers.vision.arrays import Floats, Pixels

CROP_SIZE = 112

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
    import cv2

    matrix = similarity_transform(landmarks)
    crop = cv2.warpAffine(image, matrix, (CROP_SIZE, CROP_SIZE), flags=cv2.INTER_LINEAR)
    return crop.astype(np.uint8, copy=False)
