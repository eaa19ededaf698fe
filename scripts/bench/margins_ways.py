"""The ways from a picture to an embedding that are compared; all use the same weights."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, cast

import click
import numpy as np

from workers.vision.arrays import Floats, Pixels
from workers.vision.faces.align import align
from workers.vision.faces.find_faces import find_faces
from workers.vision.faces.recogniser import prepare
from workers.vision.load_model import LoadedModel
from workers.vision.results import PipelineOptions, Rotation

_MIN_FACE = 16
_CONFIDENCE = 0.7
_OVERLAP = 0.3


class Way(Protocol):
    """Embeds the largest face of a picture; None when it finds none."""

    def __call__(self, picture: Pixels) -> Floats | None:
        """Return the vector of length 1, or None."""
        ...


class Ours:
    """The pipeline's own stages, with one setting of `rotation`."""

    def __init__(self, model: LoadedModel, rotation: Rotation) -> None:
        self._model = model
        self._options = PipelineOptions(max_faces=1, min_face=_MIN_FACE, rotation=rotation)

    def __call__(self, picture: Pixels) -> Floats | None:
        """See Way."""
        (faces,) = find_faces(self._model.detector, [picture], [self._options])
        if not len(faces):
            return None
        crop = align(picture, faces.landmarks[0])
        return cast("Floats", self._model.recogniser.embed([crop])[0])


class FivePoint:
    """OpenCV's recipe: FaceDetectorYN's strongest cell, alignCrop's plain bilinear sampling."""

    def __init__(self, model: LoadedModel, models_dir: Path) -> None:
        import cv2

        self._model = model
        detector = str(models_dir / model.entry.detector.file.name)
        self._detector = cv2.FaceDetectorYN.create(detector, "", (1, 1), _CONFIDENCE, _OVERLAP)
        self._aligner = cv2.FaceRecognizerSF.create(str(models_dir / model.entry.weights.name), "")

    def __call__(self, picture: Pixels) -> Floats | None:
        """See Way."""
        self._detector.setInputSize(picture.shape[1::-1])
        faces = cast("Floats | None", self._detector.detect(picture)[1])
        if faces is None:
            return None
        largest = max(faces, key=lambda face: float(face[2] * face[3]))
        crop = np.asarray(self._aligner.alignCrop(picture, largest), dtype=np.uint8)
        spec, graph = self._model.entry.input, self._model.recogniser._graph  # noqa: SLF001 - without what `embed` does to dark faces
        (vectors,) = graph.run(prepare([crop], spec)).values()
        return cast("Floats", vectors[0] / np.linalg.norm(vectors[0]))


class DeepFaceRepresent:
    """DeepFace.represent: eyes made level, the box cut out and stretched."""

    def __init__(self, deepface: Any) -> None:
        self._deepface = deepface

    def __call__(self, picture: Pixels) -> Floats | None:
        """See Way."""
        try:
            answers = self._deepface.represent(
                img_path=picture, model_name="SFace", detector_backend="yunet"
            )
        except ValueError:  # how it says that there is no face
            return None
        largest = max(answers, key=lambda a: a["facial_area"]["w"] * a["facial_area"]["h"])
        vector = np.array(largest["embedding"], dtype=np.float32)
        return cast("Floats", vector / np.linalg.norm(vector))


@contextmanager
def ways(model: LoadedModel, models_dir: Path) -> Iterator[dict[str, Way]]:
    """Hold every way that can be had here, by name; DeepFace only where it is installed."""
    found: dict[str, Way] = {"five-point": FivePoint(model, models_dir)}
    found |= {each: Ours(model, each) for each in ("off", "gated", "full")}
    if find_spec("deepface") is None:
        click.echo("DeepFace is not installed: its column is left out", err=True)
        yield found
        return
    with tempfile.TemporaryDirectory() as home:
        yield {"DeepFace": DeepFaceRepresent(_deepface(model, models_dir, Path(home))), **found}


def _deepface(model: LoadedModel, models_dir: Path, home: Path) -> Any:
    """Import DeepFace without TensorFlow, with the model's own files where it looks for them."""
    weights = home / ".deepface" / "weights"
    weights.mkdir(parents=True)
    for ours, theirs in (
        (model.entry.detector.file.name, "face_detection_yunet_2023mar.onnx"),
        (model.entry.weights.name, "face_recognition_sface_2021dec.onnx"),
    ):
        (weights / theirs).symlink_to((models_dir / ours).resolve())
    os.environ |= {
        "DEEPFACE_HOME": str(home),
        "DEEPFACE_BACKEND_ENGINE": "onnx",
        "DEEPFACE_LOG_LEVEL": "50",
    }
    from deepface import DeepFace

    return DeepFace
