"""With flip averaging, a face and its mirror image are one; it makes a model of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.domain.errors import ModelSelfTestFailed
from workers.vision.faces.align import align
from workers.vision.pipeline import (
    ImageInput,
    PipelineOptions,
    RecognitionPipeline,
    VisionSettings,
    build_pipeline,
)
from workers.vision.results import FaceResult
from workers.vision.weights import self_test

NAME = "astronaut.png"


@pytest.fixture(scope="module")
def averaging(models_dir: Path) -> RecognitionPipeline:
    return build_pipeline(VisionSettings(models_dir=models_dir, flip_averaging=True))


def face_of(pipeline: RecognitionPipeline, path: Path) -> FaceResult:
    ((result,),) = pipeline.run([ImageInput(0, path.read_bytes, PipelineOptions())])
    return result.faces[0]


def test_a_mirrored_crop_has_the_same_embedding(
    averaging: RecognitionPipeline, portraits: Path, portrait: Callable[[str], np.ndarray]
) -> None:
    crop = align(portrait(NAME), face_of(averaging, portraits / NAME).landmarks)
    one, other = averaging._loaded.recogniser.embed([crop, crop[:, ::-1]])
    assert one @ other > 0.9999


def test_the_embedding_is_the_mean_of_both_sights(
    averaging: RecognitionPipeline,
    pipeline: RecognitionPipeline,
    portraits: Path,
    portrait: Callable[[str], np.ndarray],
) -> None:
    face = face_of(averaging, portraits / NAME)
    crop = align(portrait(NAME), face.landmarks)
    seen, mirrored = pipeline._loaded.recogniser.embed([crop, crop[:, ::-1]])
    assert face.embedding is not None
    assert np.linalg.norm(face.embedding) == pytest.approx(1)
    assert face.embedding @ seen == pytest.approx(face.embedding @ mirrored, abs=1e-3)
    assert face.embedding @ seen < 0.999


def test_its_results_carry_another_model(
    averaging: RecognitionPipeline, pipeline: RecognitionPipeline
) -> None:
    assert averaging.model.startswith("SFace@")
    assert averaging.model != pipeline.model


def test_it_has_a_self_test_of_its_own(
    averaging: RecognitionPipeline,
    pipeline: RecognitionPipeline,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    models_dir: Path,
) -> None:
    references = json.loads(self_test.REFERENCE_FILE.read_text(encoding="utf-8"))
    references[averaging.model] = references[pipeline.model]
    changed = tmp_path / "self_test.json"
    changed.write_text(json.dumps(references), encoding="utf-8")
    monkeypatch.setattr(self_test, "REFERENCE_FILE", changed)
    with pytest.raises(ModelSelfTestFailed):
        build_pipeline(VisionSettings(models_dir=models_dir, flip_averaging=True))
