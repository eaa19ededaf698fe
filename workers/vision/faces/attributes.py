"""What a face looks like: apparent age, gender and emotion, by DeepFace's models on TensorFlow.

Nothing is loaded before the first face of a job that asks, since TensorFlow and the age and gender
networks take a gigabyte. Faces are fed as DeepFace feeds them (their box, fitted into 224 x 224 on
black, BGR from 0 to 1; for emotion in grey at 48 x 48), but are not turned to level the eyes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from app.domain.attribute_registry import AttributeEntry
from app.domain.errors import ModelError
from app.domain.item_errors import AttributesUnavailable
from app.domain.model_registry import load_registry
from app.domain.weights import file_in_use
from workers.vision.arrays import Floats, Pixels
from workers.vision.engines.interface import Graph
from workers.vision.faces.detect import Detections
from workers.vision.settings import VisionSettings

LOOK_SIDE, _GREY_SIDE = 224, 48


class AttributeModels:
    """Estimates attributes in two steps, as liveness is judged: cut out, then estimate."""

    def __init__(self, settings: VisionSettings) -> None:
        self._settings = settings
        self._loaded: dict[str, tuple[AttributeEntry, Graph]] = {}

    def cut_out(self, picture: Pixels, faces: Detections, asked: Sequence[str]) -> list[Pixels]:
        """Return each face as (224, 224, 3) BGR.

        Raises:
            AttributesUnavailable: a model is not installed, refused for its licence, or not usable.
        """
        for attribute in asked:
            self._model(attribute)
        return [fitted_face(picture, box) for box in faces.boxes]

    def estimate(self, looks: Sequence[Pixels], asked: Sequence[str]) -> list[dict[str, Any]]:
        """Return a dictionary a face: an age, probabilities by label, and `models` by attribute."""
        if not looks:
            return []
        estimates: list[dict[str, Any]] = [{} for _ in looks]
        batch = np.asarray(np.stack(looks) / 255, dtype=np.float32)
        for attribute in asked:
            entry, graph = self._model(attribute)
            (answers,) = graph.run(_PREPARE[attribute](batch)).values()
            for estimate, answer in zip(estimates, answers, strict=True):
                estimate[attribute] = _worded(entry, answer)
        models = {attribute: self._model(attribute)[0].identity for attribute in asked}
        return [{**estimate, "models": models} for estimate in estimates]

    def _model(self, attribute: str) -> tuple[AttributeEntry, Graph]:
        if attribute not in self._loaded:
            try:
                self._loaded[attribute] = self._load(attribute)
            except ModelError as error:
                raise AttributesUnavailable(
                    f"This installation has no usable model for {attribute} ({error.code})"
                ) from error
        return self._loaded[attribute]

    def _load(self, attribute: str) -> tuple[AttributeEntry, Graph]:
        from workers.vision.engines.deepface import DeepFaceEngine

        settings = self._settings
        entry = load_registry(settings.models_dir).attributes[attribute]
        entry.licence.require(entry.name, allow_noncommercial=settings.allow_noncommercial)
        file = file_in_use(entry.name, entry.files)
        path = file.verified_path(settings.models_dir, entry.name)
        engine = DeepFaceEngine(entry.name, threads=settings.threads, task="facial_attribute")
        return entry, engine.load(path)


def fitted_face(picture: Pixels, box: Floats) -> Pixels:
    """Return what is inside a box (x, y, width, height), fitted into (224, 224, 3) on black."""
    import cv2

    height, width = picture.shape[:2]
    left, top = np.clip(np.floor(box[:2]), 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(np.ceil(box[:2] + box[2:]), [left + 1, top + 1], [width, height])
    face = picture[top : int(bottom), left : int(right)]
    factor = LOOK_SIDE / max(face.shape[:2])
    columns, rows = (max(1, int(side * factor)) for side in face.shape[1::-1])
    look = np.zeros((LOOK_SIDE, LOOK_SIDE, 3), np.uint8)
    above, before = (LOOK_SIDE - rows) // 2, (LOOK_SIDE - columns) // 2
    look[above : above + rows, before : before + columns] = cv2.resize(face, (columns, rows))
    return look


def _in_grey(batch: Floats) -> Floats:
    import cv2

    greys = [cv2.cvtColor(face, cv2.COLOR_BGR2GRAY) for face in batch]
    small = [cv2.resize(grey, (_GREY_SIDE, _GREY_SIDE)) for grey in greys]
    return np.asarray(small, dtype=np.float32)[..., np.newaxis]


def _as_it_is(batch: Floats) -> Floats:
    return batch


_PREPARE: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {"age": _as_it_is, "gender": _as_it_is, "emotion": _in_grey}
)


def _worded(entry: AttributeEntry, answer: Floats) -> float | dict[str, float]:
    """Turn probabilities into those of the labels, or, of years, into their mean."""
    if not entry.labels:
        return round(float(answer @ np.arange(len(answer))), 1)
    return {
        label: round(float(share), 4) for label, share in zip(entry.labels, answer, strict=True)
    }
