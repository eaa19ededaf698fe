"""JPEGs far larger than anybody looks at: decoded at a half or a quarter of their scale.

A JPEG's decoder can leave out the fine half of every block's frequencies, and is then two to three
times as fast; a quarter of the pixels has to be handed over and shrunk. It is tried where the
detector would see the same either way, and taken back for a picture whose faces then have fewer
pixels than the recogniser's template.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.domain.image_header import ImageFormat, ImageHeader
from workers.vision.arrays import Floats
from workers.vision.detect import DETECTABLE_FACE, Detections

_REDUCTIONS = (4, 2)
# The longer side that is kept at least: twice what the detector's single look needs.
_KEPT_SIDE = 1280
# Pixels of a face's longer side that fill the template, and the last look of `rotation`.
_ENOUGH = 112


def reduction_for(header: ImageHeader, min_face: int) -> int:
    """Return by how much to divide the picture's sides as it is decoded: 1, 2 or 4."""
    if header.format is not ImageFormat.JPEG:
        return 1
    longest = max(header.width, header.height)
    for reduction in _REDUCTIONS:
        if longest >= reduction * _KEPT_SIDE and min_face >= reduction * DETECTABLE_FACE:
            return reduction
    return 1


def reduced(header: ImageHeader, reduction: int) -> ImageHeader:
    """Return the header of the picture as decoded: JPEG decoders round sides up."""
    width, height = -(-header.width // reduction), -(-header.height // reduction)
    return replace(header, width=width, height=height)


def has_enough_pixels(faces: Detections) -> bool:
    """Whether each of a reduced picture's faces still fills the template."""
    return bool((faces.boxes[:, 2:].max(axis=1) >= _ENOUGH).all())


def in_reduced(points: Floats, reduction: int) -> Floats:
    """Return where points of the whole picture lie in the reduced one.

    A pixel of the reduced picture stands for the middle of those that it replaces.
    """
    return np.asarray((points + 0.5) / reduction - 0.5, dtype=np.float32)
