"""Passive anti-spoofing: whether a face is a person or a picture of one.

A face is shown to each network in a view of its own, its box enlarged around its middle, so that
the edge of a phone or of a sheet of paper is seen too. The score is the mean of the networks'
probabilities that the face is live. What this cannot do stands in docs/recognition.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from app.domain.errors import ModelNotInstalled
from app.domain.item_errors import LivenessUnavailable
from app.domain.model_registry import LivenessEntry, load_registry
from workers.vision.arrays import Floats, Pixels
from workers.vision.engines.interface import Engine, Graph
from workers.vision.faces.detect import Detections
from workers.vision.faces.recogniser import prepare
from workers.vision.results import LivenessResult
from workers.vision.settings import VisionSettings
from workers.vision.weights.liveness_self_test import run_liveness_self_test

VIEW_SIDE = 80

# One face as each network sees it: (80, 80, 3) BGR.
FaceViews = tuple[Pixels, ...]


class LivenessModel(Protocol):
    """Scores faces in two steps, so that those of many pictures are assessed together."""

    def cut_out(self, picture: Pixels, faces: Detections) -> list[FaceViews]:
        """Return what `assess` needs of each face; may raise LivenessUnavailable."""

    def assess(self, faces: Sequence[FaceViews]) -> list[LivenessResult]:
        """Return one result a face."""


class NoLivenessModel:
    """Stands where no model is installed. Asking is an error: silence would read as a pass."""

    def cut_out(self, picture: Pixels, faces: Detections) -> list[FaceViews]:
        """Raise LivenessUnavailable, always."""
        del picture, faces
        raise LivenessUnavailable(
            "A liveness check was asked for, but this installation offers no liveness model"
        )

    def assess(self, faces: Sequence[FaceViews]) -> list[LivenessResult]:
        """Assess nothing: there is nothing that `cut_out` could have given."""
        del faces
        return []


class PassiveLiveness:
    """The model of a registry entry, its networks loaded in the entry's order."""

    def __init__(self, entry: LivenessEntry, graphs: Sequence[Graph]) -> None:
        self._entry = entry
        self._graphs = graphs
        self._identity = entry.identity

    def cut_out(self, picture: Pixels, faces: Detections) -> list[FaceViews]:
        """Cut each face out as often as there are networks."""
        scales = [network.crop_scale for network in self._entry.networks]
        return [
            tuple(enlarged_view(picture, box, scale) for scale in scales) for box in faces.boxes
        ]

    def assess(self, faces: Sequence[FaceViews]) -> list[LivenessResult]:
        """Score faces, in batches as large as the engine likes them.

        Raises:
            ValueError: a network does not answer with probabilities.
        """
        if not faces:
            return []
        live = [classes[:, self._entry.live_class] for classes in self.probabilities(faces)]
        threshold = self._entry.threshold
        return [
            LivenessResult(float(score), bool(score >= threshold), threshold, self._identity)
            for score in np.mean(live, axis=0)
        ]

    def probabilities(self, faces: Sequence[FaceViews]) -> list[Floats]:
        """Return each network's probabilities, (n, classes), in the networks' order."""
        answers = []
        for number, graph in enumerate(self._graphs):
            views, size = [face[number] for face in faces], graph.batch_size
            parts = [self._forward(graph, views[i : i + size]) for i in range(0, len(views), size)]
            answers.append(np.concatenate(parts))
        return answers

    def _forward(self, graph: Graph, views: Sequence[Pixels]) -> Floats:
        (classes,) = graph.run(prepare(views, self._entry.input)).values()
        if len(classes) != len(views) or not np.allclose(classes.sum(axis=1), 1, atol=1e-3):
            raise ValueError(f"{self._entry.name} did not answer with probabilities")
        return np.asarray(classes, dtype=np.float32)


def enlarged_view(picture: Pixels, box: Floats, scale: float) -> Pixels:
    """Return the surroundings of a box (x, y, width, height) as (80, 80, 3).

    The box grows around its middle by `scale`, or as far as the picture has room, is moved inside
    the picture, and is resized without regard to its proportions and without smoothing: so were the
    pictures prepared on which the networks were trained.
    """
    import cv2

    last = np.array(picture.shape[1::-1], dtype=np.float64) - 1
    corner, size = np.asarray(box[:2], dtype=np.float64), np.asarray(box[2:], dtype=np.float64)
    grown = size * min(scale, *(last / size))
    start = np.clip(corner + (size - grown) / 2, 0, last - grown)
    (left, top), (right, bottom) = start.astype(int), (start + grown).astype(int) + 1
    view = cv2.resize(picture[top:bottom, left:right], (VIEW_SIDE, VIEW_SIDE))
    return np.asarray(view, dtype=np.uint8)


def load_liveness(settings: VisionSettings, engine: Engine) -> LivenessModel:
    """Load the liveness model that the settings ask for, verified and self-tested.

    Raises:
        ModelError: see `installed_liveness`; or it does not compute what it should.
    """
    installed = installed_liveness(settings)
    if installed is None:
        return NoLivenessModel()
    entry, paths = installed
    model = PassiveLiveness(entry, [engine.load(path) for path in paths])
    run_liveness_self_test(entry, model.probabilities)
    return model


def installed_liveness(settings: VisionSettings) -> tuple[LivenessEntry, list[Path]] | None:
    """Return the liveness model to run and its verified files; None when none is to run.

    Raises:
        ModelError: its files were exchanged, its licence is refused, or it is required and not
            installed; the message names the command.
    """
    if settings.liveness == "off":
        return None
    entry = load_registry(settings.models_dir).liveness_model(settings.liveness_model)
    try:
        paths = entry.verified_paths(settings.models_dir)
    except ModelNotInstalled:
        if settings.liveness == "required":
            raise
        return None
    entry.licence.require(entry.name, allow_noncommercial=settings.allow_noncommercial)
    return entry, paths
