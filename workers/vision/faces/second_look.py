"""Looks once more at each face, upright and at one size, for landmarks that err less.

A first look sees a face at whatever size and turn it has in the picture. The second sees all of
them alike; the mean of both is closer to where the features are than either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from workers.vision.arrays import Floats, Pixels
from workers.vision.faces.align import sampled, similarity_transform
from workers.vision.faces.detect import Detections, Detector
from workers.vision.images.light import is_dark, lightened_picture

_SIDE = 128  # pixels of a view; YuNet needs 0.5 ms for it on one core
_SCALE = 0.9  # view pixels a pixel of the alignment template
_MIDDLE = np.array([56.0, 66.0])  # template point in the view's middle: that of a face's box
_NEAR = 21.0  # view pixels from there to the middle of a box that is the same face's


def look_again(
    detector: Detector, pictures: Sequence[Pixels], found: Sequence[Detections]
) -> list[Detections]:
    """Return each picture's faces with landmarks that two looks agree on.

    A face that the second look does not see keeps those of the first; boxes and scores stay.
    """
    ways = [[_way(landmarks) for landmarks in faces.landmarks] for faces in found]
    views = [
        _view(picture, way)
        for picture, several in zip(pictures, ways, strict=True)
        for way in several
    ]
    seen = iter(detector.detect(views))
    return [
        Detections(faces.boxes, _agreed(faces.landmarks, several, seen), faces.scores)
        for faces, several in zip(found, ways, strict=True)
    ]


def _view(picture: Pixels, way: npt.NDArray[np.float64]) -> Pixels:
    """Return a face's view, lightened when it is dark: landmarks in twelve grey levels are off."""
    view = sampled(picture, way, _SIDE)
    return lightened_picture(view) if is_dark(view) else view


def _way(landmarks: Floats) -> npt.NDArray[np.float64]:
    """Return the 2 x 3 matrix from the picture to the view of the face with these landmarks."""
    way = _SCALE * similarity_transform(landmarks)
    way[:, 2] += _SIDE / 2 - _SCALE * _MIDDLE
    return way


def _agreed(
    landmarks: Floats, ways: Sequence[npt.NDArray[np.float64]], seen: Iterator[Detections]
) -> Floats:
    """Return the means of (n, 5, 2) landmarks and those in the faces' views, next in `seen`."""
    agreed = landmarks.copy()
    for number, way in enumerate(ways):
        points = _central(next(seen))
        if points is not None:
            again = (points - way[:, 2]) @ np.linalg.inv(way[:, :2]).T
            agreed[number] = (landmarks[number] + again) / 2
    return agreed


def _central(faces: Detections) -> Floats | None:
    """Return the landmarks of the best face in the middle of a view, in its pixels."""
    apart = faces.boxes[:, :2] + faces.boxes[:, 2:] / 2 - _SIDE / 2
    near = np.flatnonzero(np.hypot(*apart.T) <= _NEAR)
    return faces.landmarks[near[faces.scores[near].argmax()]] if len(near) else None
