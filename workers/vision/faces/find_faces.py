"""Finds the faces of whole pictures, at the scales at which the detector sees them best.

The detector needs 16 px of a face and is at its best between 40 and 400: above, it draws boxes that
are too small. So the smallest wanted face decides the fine scale, and a picture that is large at
that scale is looked at a second time, small. Very large pictures are cut into overlapping tiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workers.vision.arrays import Pixels
from workers.vision.faces.detect import DETECTABLE_FACE, Detections, Detector, join, suppress
from workers.vision.faces.rotation import distinct, straighten, turned_proposals
from workers.vision.faces.second_look import look_again
from workers.vision.images.light import is_dark, lightened_picture
from workers.vision.images.shrink import resized
from workers.vision.results import PipelineOptions

# At this side a picture is looked at once, also when the smallest wanted face asks for a little
# more: that costs a fortieth of the face's side, and saved 10 of 33 ms in small_faces' pictures.
SINGLE_PASS_SIDE = 640
_SINGLE_PASS_NEED = 656
TILE_SIDE = 1280
# Tiles share this much, so that a face up to this size is whole in one of them; larger ones are
# found in the coarse pass.
TILE_OVERLAP = 256
_CUT = 4  # boxes of cut faces end at most this many pixels before the cut; 3.1 were measured
_COARSE_SIDE = 320
_COARSE_SIDE_WITH_TILES = 640
_SURER = 0.6  # of the way from the wanted confidence to 1
_UNSURE = 6  # proposals below the wanted confidence that may turn out to be turned faces


@dataclass(frozen=True)
class _View:
    """A part of a picture as the detector is shown it: pixels = (displayed - offset) * scale.

    `goes_on`: whether the picture does, beyond the left, upper, right and lower side.
    """

    pixels: Pixels
    scale: float
    x: int = 0
    y: int = 0
    goes_on: tuple[bool, bool, bool, bool] = (False, False, False, False)

    def whole(self, faces: Detections) -> Detections:
        """Leave out faces that a side cuts where the picture goes on: another view has them."""
        size = self.pixels.shape[1::-1]
        room = np.hstack([faces.boxes[:, :2], size - faces.boxes[:, :2] - faces.boxes[:, 2:]])
        cut = ((room < _CUT) & self.goes_on).any(axis=1)
        return faces.take(np.flatnonzero(~cut))


def find_faces(
    detector: Detector, pictures: Sequence[Pixels], options: Sequence[PipelineOptions]
) -> list[Detections]:
    """Find each picture's faces, in its own pixels, largest first, at most `max_faces`."""
    views = [list(_views(*pair)) for pair in zip(pictures, options, strict=True)]
    flat = [view.pixels for several in views for view in several]
    answers = iter(detector.detect(flat))
    shown, found = [], []
    for picture, option, several in zip(pictures, options, views, strict=True):
        lit, faces = picture, _seen(several, [next(answers) for _ in several])
        if not (faces.scores >= option.detection_confidence).any() and is_dark(picture):
            lit, faces = _in_the_dark(detector, picture, option)
        shown.append(lit)
        found.append(_finished(detector, lit, faces, option))
    return look_again(detector, shown, found)


def _in_the_dark(
    detector: Detector, picture: Pixels, options: PipelineOptions
) -> tuple[Pixels, Detections]:
    """Look once more, at a lightened copy: a dark face that the detector misses is not lost.

    Measured on 7 portraits with faces of 160 and 40 px: at 5 % of the light with noise, 14 faces of
    14 instead of 4; at 2 %, 14 instead of none; none in 147 dark pictures without a face.
    """
    lit = lightened_picture(picture)
    views = list(_views(lit, options))
    return lit, _seen(views, detector.detect([view.pixels for view in views]))


def _seen(views: Sequence[_View], answers: Sequence[Detections]) -> Detections:
    """Put what the views of a picture show into its own pixels, each face once."""
    pairs = zip(views, answers, strict=True)
    return suppress(
        join([view.whole(seen).mapped(1 / view.scale, view.x, view.y) for view, seen in pairs])
    )


def _finished(
    detector: Detector, picture: Pixels, faces: Detections, options: PipelineOptions
) -> Detections:
    """Turn the proposals of the upright views into the faces that are reported."""
    confidence = options.detection_confidence
    faces = faces.take(np.flatnonzero(_large_enough(faces, options)))
    sure = faces.take(np.flatnonzero(faces.scores >= confidence))
    if options.rotation == "off":
        return _selected(sure, picture, options)
    always = options.rotation == "full"
    unsure = faces.take(np.flatnonzero(faces.scores < confidence))
    if always or not len(sure):
        turned = turned_proposals(detector, picture)
        turned = turned.take(np.flatnonzero(_large_enough(turned, options)))
        unsure = suppress(join([unsure, turned]))
    # What no upright view was sure of is searched at every angle, which finds more accidents too:
    # up to 0.863 in enlarged cloth. Turned faces end above 0.87, even blurred, dark or of 24 px, so
    # in the end it must be much closer to certainty.
    found = distinct(
        join(
            [
                straighten(detector, picture, sure, always=always, needed=confidence),
                straighten(
                    detector,
                    picture,
                    unsure.take(slice(_UNSURE)),
                    always=True,
                    needed=confidence + _SURER * (1 - confidence),
                ),
            ]
        )
    )
    return _selected(found, picture, options)


def _views(picture: Pixels, options: PipelineOptions) -> Iterator[_View]:
    longest = max(picture.shape[:2])
    fine = min(1.0, DETECTABLE_FACE / options.min_face)
    if longest * fine <= _SINGLE_PASS_NEED:
        yield _resized(picture, min(1.0, SINGLE_PASS_SIDE / longest))
        return
    whole = _resized(picture, fine)
    tiled = longest * fine > TILE_SIDE
    if tiled:
        yield from _tiles(whole)
    else:
        yield whole
    coarse = (_COARSE_SIDE_WITH_TILES if tiled else _COARSE_SIDE) / longest
    yield _View(resized(whole.pixels, coarse / whole.scale), coarse)


def _resized(picture: Pixels, scale: float) -> _View:
    return _View(resized(picture, scale), scale)


def _tiles(whole: _View) -> Iterator[_View]:
    height, width = whole.pixels.shape[:2]
    for top in _starts(height):
        for left in _starts(width):
            part = whole.pixels[top : top + TILE_SIDE, left : left + TILE_SIDE]
            x, y = round(left / whole.scale), round(top / whole.scale)
            goes_on = (left > 0, top > 0, left + TILE_SIDE < width, top + TILE_SIDE < height)
            yield _View(part, whole.scale, x, y, goes_on)


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
    wanted = _large_enough(faces, options) & (inside.min(axis=1) >= 1)
    by_area = np.argsort(-inside.prod(axis=1), kind="stable")
    return faces.take(by_area[wanted[by_area]][: options.max_faces])


def _large_enough(faces: Detections, options: PipelineOptions) -> npt.NDArray[np.bool_]:
    return np.asarray(faces.boxes[:, 2:].max(axis=1) >= options.min_face)
