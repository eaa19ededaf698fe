"""YuNet: finds faces and their five landmarks.

The network: Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023. The way from its
twelve outputs to boxes is that of OpenCV's FaceDetectorYN, to which a test holds it; running the
network ourselves lets it use the engine of the recogniser, in batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workers.vision.arrays import Floats, Pixels
from workers.vision.engines.interface import Graph

# A face needs about this many pixels in the network's input to be found;
# `scripts/bench/small_faces.py` measures the recall just above what `min_face` asks for.
DETECTABLE_FACE = 16

# Candidates below this are not looked at. Fixed, so that no picture's result depends on what others
# in its batch ask for.
LOWEST_CONFIDENCE = 0.3

_STRIDES = (8, 16, 32)
_PADDING = 32  # the coarsest stride: width and height must be multiples of it
_OVERLAP = 0.3  # intersection over union above which the weaker of two boxes goes, as in OpenCV
_SAME_FACE = 0.6  # above it, two boxes are two sights of one face
_TRUSTED = 0.75  # a sight that scores below this share of the best is not averaged in
_LANDMARKS = 5


@dataclass(frozen=True)
class Detections:
    """The faces of one picture, in its pixels, neither rounded nor cut at its edge.

    `boxes` is (n, 4): x, y, width, height; `landmarks` is (n, 5, 2); `scores` is (n,).
    """

    boxes: Floats
    landmarks: Floats
    scores: Floats

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, index: Sequence[int] | slice | npt.NDArray[np.intp]) -> Detections:
        """Return the faces at these positions, in this order."""
        return Detections(self.boxes[index], self.landmarks[index], self.scores[index])

    def mapped(self, scale: float, x: float = 0.0, y: float = 0.0) -> Detections:
        """Return the same faces in a picture `scale` times as large, moved by x and y."""
        shift = np.array([x, y], dtype=np.float32)
        boxes = self.boxes * np.float32(scale)
        boxes[:, :2] += shift
        return Detections(boxes, self.landmarks * np.float32(scale) + shift, self.scores)


class Detector:
    """YuNet over an engine's graph."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def detect(self, pictures: Sequence[Pixels]) -> list[Detections]:
        """Find the faces of each picture, as it is: the caller scales. Best score first.

        All that score `LOWEST_CONFIDENCE` are returned: the caller drops what it does not want.
        """
        found: list[Detections] = [_NOTHING] * len(pictures)
        for group in _same_shape(pictures, self._graph.batch_size):
            blob = np.concatenate([_blob(pictures[index]) for index in group])
            outputs = self._graph.run(blob)
            for row, index in enumerate(group):
                single = {name: values[row] for name, values in outputs.items()}
                found[index] = _decode(single, blob.shape[2:])
        return found


def _same_shape(pictures: Sequence[Pixels], size: int) -> Iterator[list[int]]:
    """Group the pictures' positions by padded shape, at most `size` together."""
    groups: dict[tuple[int, int], list[int]] = {}
    for index, picture in enumerate(pictures):
        groups.setdefault(_padded(picture), []).append(index)
    for members in groups.values():
        for start in range(0, len(members), size):
            yield members[start : start + size]


def _padded(picture: Pixels) -> tuple[int, int]:
    height, width = picture.shape[:2]
    return -(-height // _PADDING) * _PADDING, -(-width // _PADDING) * _PADDING


def _blob(picture: Pixels) -> Floats:
    """Return (1, 3, height, width) BGR, 0 to 255, padded with black on the right and below."""
    import cv2

    height, width = _padded(picture)
    missing = (height - picture.shape[0], width - picture.shape[1])
    if any(missing):
        picture = np.asarray(
            cv2.copyMakeBorder(picture, 0, missing[0], 0, missing[1], cv2.BORDER_CONSTANT)
        )
    return np.asarray(cv2.dnn.blobFromImage(picture), dtype=np.float32)


def _decode(outputs: dict[str, Floats], shape: tuple[int, ...]) -> Detections:
    """Turn the twelve outputs for one picture of `shape` (height, width) into faces."""
    parts = [_decode_stride(outputs, stride, shape[1] // stride) for stride in _STRIDES]
    boxes, landmarks, scores = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    candidates = Detections(boxes, landmarks, scores)
    return _agreed(suppress(candidates), candidates)


def _decode_stride(
    outputs: dict[str, Floats], stride: int, columns: int
) -> tuple[Floats, Floats, Floats]:
    """Decode one pyramid level: each cell predicts offsets from its own corner, in strides."""
    classes = np.clip(outputs[f"cls_{stride}"][:, 0], 0, 1)
    objects = np.clip(outputs[f"obj_{stride}"][:, 0], 0, 1)
    scores = np.sqrt(classes * objects)
    cells = np.flatnonzero(scores >= LOWEST_CONFIDENCE)
    corner = np.column_stack([cells % columns, cells // columns]).astype(np.float32)
    offsets = outputs[f"bbox_{stride}"][cells]
    size = np.exp(offsets[:, 2:]) * stride
    middle = (corner + offsets[:, :2]) * stride
    points = outputs[f"kps_{stride}"][cells].reshape(-1, _LANDMARKS, 2)
    landmarks = (points + corner[:, np.newaxis]) * stride
    boxes = np.concatenate([middle - size / 2, size], axis=1)
    return boxes.astype(np.float32), landmarks.astype(np.float32), scores[cells]


def suppress(faces: Detections) -> Detections:
    """Keep the best of boxes that overlap (greedy non-maximum suppression), best score first."""
    import cv2

    if not len(faces):
        return faces
    kept = cv2.dnn.NMSBoxes(faces.boxes.tolist(), faces.scores.tolist(), 0.0, _OVERLAP)
    return faces.take(np.asarray(kept, dtype=np.intp).reshape(-1))


def _agreed(kept: Detections, candidates: Detections) -> Detections:
    """Replace each face by the mean of the candidates that overlap it closely, weighted by score.

    Neighbouring cells see the same face and err differently: at no cost, the mean brings the
    embedding of a changed photograph (size, crop, JPEG) 0.01 closer to the original's, that of a
    partial face 0.06.
    """
    if not len(kept):
        return kept
    same = overlaps(kept.boxes, candidates.boxes) > _SAME_FACE
    same &= candidates.scores >= _TRUSTED * kept.scores[:, np.newaxis]
    weights = np.where(same, candidates.scores, 0)
    weights /= weights.sum(axis=1, keepdims=True)
    boxes = weights @ candidates.boxes
    landmarks = np.einsum("kc,cpx->kpx", weights, candidates.landmarks)
    return Detections(boxes.astype(np.float32), landmarks.astype(np.float32), kept.scores)


def overlaps(a: Floats, b: Floats) -> Floats:
    """Return the (n, m) intersections over union of two sets of boxes."""
    begin = np.maximum(a[:, np.newaxis, :2], b[:, :2])
    end = np.minimum((a[:, :2] + a[:, 2:])[:, np.newaxis], b[:, :2] + b[:, 2:])
    shared = np.maximum(end - begin, 0).prod(axis=2)
    areas = a[:, 2:].prod(axis=1)[:, np.newaxis] + b[:, 2:].prod(axis=1)
    return np.asarray(shared / (areas - shared), dtype=np.float32)


def join(parts: Sequence[Detections]) -> Detections:
    """Put the faces of several views of one picture together."""
    return Detections(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.landmarks for part in parts]),
        np.concatenate([part.scores for part in parts]),
    )


_NOTHING = Detections(
    np.zeros((0, 4), np.float32), np.zeros((0, _LANDMARKS, 2), np.float32), np.zeros(0, np.float32)
)
