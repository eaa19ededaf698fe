"""Makes pictures smaller, without aliasing, at a price that suits a detector."""

from __future__ import annotations

import numpy as np

from workers.vision.arrays import Pixels

_HALF = 0.5  # above this scale, bilinear interpolation shows no aliasing worth its price


def resized(picture: Pixels, scale: float) -> Pixels:
    """Return the picture at `scale` times its size.

    Halved by exact means of 2 x 2 pixels as often as that goes, then interpolated. OpenCV averages
    over whole pixels in 3 ms for 8 megapixels, over fractions of pixels (INTER_AREA at any other
    ratio) in 28 ms. An odd last row or column is cut off by a halving, so that pixels stay in
    place.
    """
    import cv2

    while scale < _HALF and min(picture.shape[:2]) > 1:
        height, width = picture.shape[0] // 2, picture.shape[1] // 2
        even = picture[: height * 2, : width * 2]
        half = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
        picture, scale = np.asarray(half, dtype=np.uint8), scale * 2
    if scale == 1.0:
        return picture
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
