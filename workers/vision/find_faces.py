"""Finds the faces of whole pictures, at the scales at which the detector sees them best.

The detector needs 16 px of a face and is at its best between 40 and 400: above, it draws boxes that
are too small. So the smallest wanted face decides the fine scale, and a picture that is large at
that scale is looked at a second time, small. Very large pictures are cut into overlapping tiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workers.vision.arrays import Pixels
from workers.vision.detect import DETECTABLE_FACE, Detections, Detector, join, suppress
from workers.vision.results import PipelineOptions

# Up to this side a picture is looked at once; it costs about 12 ms on one core.
SINGLE_PASS_SIDE = 640
TILE_SIDE = 1280
# Tiles share this much, so that a face up to this size is whole in one of them; larger ones are
# found in the coarse pass.
TILE_OVERLAP = 256
_COARSE_SIDE = 320
_COARSE_SIDE_WITH_TILES = 640
_AREA_BELOW = 0.5  # above this scale, plain interpolation shows no aliasing worth its price


@dataclass(frozen=True)
class _View:
    """A part of a picture as the detector is shown it: pixels = (displayed - offset) * scale."""

    pixels: Pixels
    scale: float
    x: int = 0
    y: int = 0


def find_faces(
    detector: Detector, pictures: Sequence[Pixels], options: Sequence[PipelineOptions]
) -> list[Detections]:
    """Find each picture's faces, in its own pixels, largest first, at most `max_faces`."""
    views = [list(_views(*pair)) for pair in zip(pictures, options, strict=True)]
    found: list[Detections] = [None] * len(pictures)  # type: ignore[list-item] # all are set below
    for confidence in {option.detection_confidence for option in options}:
        members = [i for i, o in enumerate(options) if o.detection_confidence == confidence]
        flat = [view for i in members for view in views[i]]
        answers = iter(detector.detect([view.pixels for view in flat], confidence=confidence))
        for i in members:
            seen = [next(answers).mapped(1 / v.scale, v.x, v.y) for v in views[i]]
            found[i] = _selected(suppress(join(seen)), pictures[i], options[i])
    return found


def _views(picture: Pixels, options: PipelineOptions) -> Iterator[_View]:
    longest = max(picture.shape[:2])
    fine = min(1.0, DETECTABLE_FACE / options.min_face)
    if longest * fine <= SINGLE_PASS_SIDE:
        yield _resized(picture, min(1.0, SINGLE_PASS_SIDE / longest))
        return
    whole = _resized(picture, fine)
    tiled = longest * fine > TILE_SIDE
    if tiled:
        yield from _tiles(whole)
    else:
        yield whole
    yield _resized(picture, (_COARSE_SIDE_WITH_TILES if tiled else _COARSE_SIDE) / longest)


def _resized(picture: Pixels, scale: float) -> _View:
    import cv2

    if scale == 1.0:
        return _View(picture, 1.0)
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < _AREA_BELOW else cv2.INTER_LINEAR
    return _View(np.asarray(cv2.resize(picture, size, interpolation=method)), scale)


def _tiles(whole: _View) -> Iterator[_View]:
    height, width = whole.pixels.shape[:2]
    for top in _starts(height):
        for left in _starts(width):
            part = whole.pixels[top : top + TILE_SIDE, left : left + TILE_SIDE]
            yield _View(part, whole.scale, round(left / whole.scale), round(top / whole.scale))


def _starts(length: int) -> list[int]:
    """Return where tiles begin so that they cover `length` evenly and overlap enough."""
    if length <= TILE_SIDE:
        return [0]
    count = -(-(length - TILE_OVERLAP) // (TILE_SIDE - TILE_OVERLAP))
    return [round(i * (length - TILE_SIDE) / (count - 1)) for i in range(count)]


def _selected(faces: Detections, picture: Pixels, options: PipelineOptions) -> Detections:
    """Drop what is too small or outside the picture; order by area within it."""
    height, width = picture.shape[:2]
    corner = np.clip(faces.boxes[:, :2], 0, [width, height])
    end = np.clip(faces.boxes[:, :2] + faces.boxes[:, 2:], 0, [width, height])
    inside = np.maximum(end - corner, 0)
    wanted = (faces.boxes[:, 2:].max(axis=1) >= options.min_face) & (inside.min(axis=1) >= 1)
    by_area = np.argsort(-inside.prod(axis=1), kind="stable")
    return faces.take(by_area[wanted[by_area]][: options.max_faces])
