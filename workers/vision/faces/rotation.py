"""Finds heads that are turned in the picture's plane, with landmarks as if they were upright.

A face that scores 0.93 upright scores 0.3 to 0.8 when it is turned by 90 degrees. YuNet's landmarks
lean towards upright (a head turned by 30 degrees is often reported at 6), so that its own roll
cannot be trusted; its score can: it falls steadily with the angle. The face is looked at again in
turned crops, the angle is taken where the score peaks, and the landmarks from there.

Three things give a turned face away before that: a low score, the line from the eyes to the mouth,
which shows a third more of the turn than the line between the eyes, and a box that is too square.
On 7 portraits in 9 variations, turned by up to 60 degrees, they leave 2 of 794 below a similarity
of 0.8 to what the full search finds, where score and eyes leave 21; of upright faces they suspect
16 % instead of 11 %.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workers.vision.arrays import Floats, Pixels
from workers.vision.faces.detect import Detections, Detector, join, overlaps

# Pixels of the face in a view: enough to compare angles (0.5 ms a view on one core), and enough
# for good landmarks (1.5 ms). A view is twice as wide.
_SEARCH_FACE = 64
_FINAL_FACE = 112
_REACH = 1.45  # half of what a turned view can show of the picture, in face sides
_STEP = 45.0
_SEARCH = (0.0, 45.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0)  # degrees
_NEAR = (315.0, 0.0, 45.0)
_NEARLY_UPRIGHT = 0.905  # a face turned by more than 45 degrees has not scored it upright
_CORRECTIONS = 3
_LEAN = 1.8  # true roll to the one that the landmarks of a nearly upright view show
_SETTLED = 2.0  # degrees of shown roll that are not worth another look
_ODD_SCORE = 0.915  # upright faces score above, faces turned by 30 degrees or more below
_ODD_ROLL = 8.0  # degrees between the line from eyes to mouth and the picture's vertical
_ODD_SHAPE = 0.82  # width to height of a box: upright faces are slimmer
_SAME_LANDMARKS = 0.3  # intersection over union of the rectangles around the landmarks
_TURNED_SIDE = 320  # pixels of a whole picture that is turned by a quarter


@dataclass(frozen=True)
class _Patch:
    """A face with its surroundings, shrunk so that its longer side is at most `face` pixels.

    Patch pixels are (picture pixels - corner) * scale; `middle` and `zoom` (up to `face`) are of
    the patch.
    """

    pixels: Pixels
    corner: npt.NDArray[np.float64]
    scale: float
    middle: npt.NDArray[np.float64]
    face: int
    zoom: float


@dataclass(frozen=True)
class _Look:
    """The best sight of a face in one view: landmarks are in the picture, roll in the view."""

    score: float
    roll: float
    landmarks: Floats


def straighten(
    detector: Detector,
    picture: Pixels,
    faces: Detections,
    *,
    always: bool,
    needed: float,
) -> Detections:
    """Return the faces with landmarks found upright; of those that score `needed` in the end.

    Without `always`, faces that look upright are left as they are.
    """
    straightened = [faces.take([])]
    for number in range(len(faces)):
        face = faces.take([number])
        if always or _is_odd(face):
            face = _upright(detector, picture, face)
        if face.scores[0] >= needed:
            straightened.append(face)
    return join(straightened)


def distinct(faces: Detections) -> Detections:
    """Drop faces whose landmarks lie where an earlier one's do: two boxes had led to one face."""
    begin, end = faces.landmarks.min(axis=1), faces.landmarks.max(axis=1)
    shared = overlaps(*[np.concatenate([begin, end - begin], axis=1)] * 2)
    kept: list[int] = []
    for number in range(len(faces)):
        if not kept or shared[number, kept].max() < _SAME_LANDMARKS:
            kept.append(number)
    return faces.take(kept)


def turned_proposals(detector: Detector, picture: Pixels) -> Detections:
    """Look at the whole picture, small, from its other three sides: for what upright misses."""
    import cv2

    height, width = picture.shape[:2]
    scale = min(1.0, _TURNED_SIDE / max(height, width))
    shape = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(picture, shape, interpolation=cv2.INTER_AREA)
    turns = (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE)
    views = [np.asarray(cv2.rotate(small, turn), dtype=np.uint8) for turn in turns]
    found = detector.detect(views)
    # The way back, for points: x and y of the upright picture from those of each turned one.
    ways = (
        lambda p: np.stack([p[..., 1], shape[1] - p[..., 0]], axis=-1),
        lambda p: np.array(shape, dtype=np.float32) - p,
        lambda p: np.stack([shape[0] - p[..., 1], p[..., 0]], axis=-1),
    )
    parts = [_turned_back(*pair) for pair in zip(found, ways, strict=True)]
    return join(parts).mapped(1 / scale)


def _turned_back(faces: Detections, way: Callable[[Floats], Floats]) -> Detections:
    corners = np.stack([way(faces.boxes[:, :2]), way(faces.boxes[:, :2] + faces.boxes[:, 2:])])
    begin, end = corners.min(axis=0), corners.max(axis=0)
    boxes = np.concatenate([begin, end - begin], axis=1).astype(np.float32)
    return Detections(boxes, way(faces.landmarks).astype(np.float32), faces.scores)


def _is_odd(face: Detections) -> bool:
    width, height = face.boxes[0, 2:]
    return (
        float(face.scores[0]) < _ODD_SCORE
        or abs(_roll(face.landmarks[0])) > _ODD_ROLL
        or float(width) > _ODD_SHAPE * float(height)
    )


def _upright(detector: Detector, picture: Pixels, face: Detections) -> Detections:
    """Search the angles, then correct the remaining roll; keep the face as it was if lost.

    A face that scores high is turned little, and is searched there first.
    """
    near = float(face.scores[0]) >= _NEARLY_UPRIGHT
    chosen = _searched(detector, picture, face, _NEAR) if near else None
    if chosen is None or chosen.score < _ODD_SCORE:
        chosen = _searched(detector, picture, face, _SEARCH) or chosen
    if chosen is None:
        return face
    score = np.array([chosen.score], dtype=np.float32)
    return Detections(face.boxes, chosen.landmarks[np.newaxis], score)


def _searched(
    detector: Detector, picture: Pixels, face: Detections, angles: Sequence[float]
) -> _Look | None:
    """Return the best corrected sight of a face from around the best of `angles`, `_STEP` apart."""
    looks = _look(detector, _patch(picture, face.boxes[0], _SEARCH_FACE), angles)
    scores = np.array([look.score if look else 0.0 for look in looks])
    patch = _patch(picture, face.boxes[0], _FINAL_FACE)
    chosen: _Look | None = None
    for best in _peaks(scores):
        around = (scores[best - 1], scores[best], scores[(best + 1) % len(scores)])
        look = _corrected(detector, patch, angles[best] + _peak(*around)) or looks[best]
        if look and (chosen is None or look.score > chosen.score):
            chosen = look
        if chosen and chosen.score >= _ODD_SCORE:
            break
    return chosen


def _corrected(detector: Detector, patch: _Patch, angle: float) -> _Look | None:
    """Look at a face from `angle`, and from where its landmarks say, until it is upright."""
    chosen: _Look | None = None
    for _ in range(_CORRECTIONS):
        (look,) = _look(detector, patch, [angle])
        if look is None:
            break
        chosen = look
        if abs(look.roll) < _SETTLED:
            break
        angle += _LEAN * look.roll
    return chosen


def _peaks(scores: npt.NDArray[np.float64]) -> list[int]:
    """Return the positions of the two highest scores that no neighbour on the circle exceeds."""
    beside = np.maximum(np.roll(scores, 1), np.roll(scores, -1))
    peaks = np.flatnonzero((scores >= beside) & (scores > 0))
    return [int(peak) for peak in peaks[np.argsort(-scores[peaks], kind="stable")][:2]]


def _peak(before: float, middle: float, after: float) -> float:
    """Return where the parabola through three scores, `_STEP` apart, has its peak, in degrees."""
    bend = before - 2 * middle + after
    return (
        float(np.clip(_STEP * (before - after) / (2 * bend), -_STEP / 2, _STEP / 2)) if bend else 0
    )


def _patch(picture: Pixels, box: Floats, face: int) -> _Patch:
    import cv2

    side = float(box[2:].max())
    middle = (box[:2] + box[2:] / 2).astype(np.float64)
    size = np.array(picture.shape[1::-1])
    left, top = np.clip(middle - _REACH * side, 0, size - 1).astype(int)
    right, bottom = np.clip(middle + _REACH * side, [left + 1, top + 1], size).astype(int)
    scale, pixels = min(1.0, face / side), picture[top:bottom, left:right]
    if scale < 1:
        shape = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
        pixels = np.asarray(cv2.resize(pixels, shape, interpolation=cv2.INTER_AREA), np.uint8)
    corner = np.array([left, top], dtype=np.float64)
    return _Patch(pixels, corner, scale, (middle - corner) * scale, face, face / (side * scale))


def _look(detector: Detector, patch: _Patch, angles: Sequence[float]) -> list[_Look | None]:
    """Look at a face with the picture turned back by each of `angles`, clockwise in degrees."""
    import cv2

    side = 2 * patch.face
    views, ways_back = [], []
    for angle in angles:
        centre = (float(patch.middle[0]), float(patch.middle[1]))
        matrix = np.asarray(cv2.getRotationMatrix2D(centre, angle, patch.zoom), dtype=np.float64)
        matrix[:, 2] += side / 2 - patch.middle
        view = cv2.warpAffine(patch.pixels, matrix, (side, side), flags=cv2.INTER_LINEAR)
        views.append(np.asarray(view, dtype=np.uint8))
        ways_back.append(np.asarray(cv2.invertAffineTransform(matrix), dtype=np.float64))
    found = detector.detect(views)
    return [_nearest(*pair, patch) for pair in zip(found, ways_back, strict=True)]


def _nearest(faces: Detections, back: npt.NDArray[np.float64], patch: _Patch) -> _Look | None:
    """Return the best face in the middle of a view, mapped into the picture."""
    distance = faces.boxes[:, :2] + faces.boxes[:, 2:] / 2 - patch.face
    near = np.flatnonzero(np.abs(distance).max(axis=1, initial=0) < patch.face / 2)
    if not len(near):
        return None
    best = int(near[faces.scores[near].argmax()])
    points = faces.landmarks[best] @ back[:, :2].T + back[:, 2]
    landmarks = (points / patch.scale + patch.corner).astype(np.float32)
    return _Look(float(faces.scores[best]), _roll(faces.landmarks[best]), landmarks)


def _roll(landmarks: Floats) -> float:
    """Return how far the line from eyes to mouth is from vertical, in degrees, clockwise positive.

    It shows a turn better than the line between the eyes: 13 degrees for 10, on average.
    """
    down = landmarks[3:].mean(axis=0) - landmarks[:2].mean(axis=0)
    return float(np.degrees(np.arctan2(-down[0], down[1])))
