"""One conformance suite for every engine that is installed here."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.domain.errors import ModelError
from workers.vision.engines import select
from workers.vision.engines.owners import require_single_owners
from workers.vision.load_model import load_model
from workers.vision.pipeline import (
    ImageInput,
    PipelineOptions,
    RecognitionPipeline,
    VisionSettings,
    build_pipeline,
)

INSTALLED = [
    name for name in ("onnxruntime", "openvino") if importlib.util.find_spec(name) is not None
]

needs_openvino = pytest.mark.skipif("openvino" not in INSTALLED, reason="needs openvino")


@pytest.fixture(params=[*INSTALLED, "auto"])
def engine_pipeline(request: pytest.FixtureRequest, models_dir: Path) -> RecognitionPipeline:
    return build_pipeline(VisionSettings(models_dir=models_dir, engine=request.param))


@pytest.mark.parametrize("name", ["astronaut.png", "grace_hopper.jpg", "obama.jpg"])
def test_every_engine_gives_the_same_faces_and_embeddings(
    engine_pipeline: RecognitionPipeline,
    pipeline: RecognitionPipeline,
    portraits: Path,
    name: str,
) -> None:
    image = ImageInput(0, (portraits / name).read_bytes, PipelineOptions())
    ((expected,),), ((found,),) = pipeline.run([image]), engine_pipeline.run([image])
    agreement = 0.999 if engine_pipeline.engine.endswith("bf16") else 0.9999
    assert found.faces[0].box == expected.faces[0].box
    assert found.faces[0].embedding @ expected.faces[0].embedding >= agreement


def test_a_batch_gives_what_single_pictures_give(
    pipeline: RecognitionPipeline, monkeypatch: pytest.MonkeyPatch, portraits: Path
) -> None:
    """As on a GPU, whose graphs take many inputs at a time."""
    names = ["astronaut.png", "grace_hopper.jpg", "obama.jpg", "obama2.jpg", "biden.jpg"]
    images = [ImageInput(n, (portraits / n).read_bytes, PipelineOptions()) for n in names]
    single = {r.key: r for batch in pipeline.run(images) for r in batch}
    loaded = pipeline._loaded
    monkeypatch.setattr(loaded.recogniser._graph, "batch_size", 8)
    monkeypatch.setattr(loaded.detector._graph, "batch_size", 8)
    object.__setattr__(loaded, "picture_batch", 8)
    together = {r.key: r for batch in pipeline.run(images) for r in batch}
    object.__setattr__(loaded, "picture_batch", 1)
    for name in names:
        one, other = single[name].faces[0], together[name].faces[0]
        assert one.embedding @ other.embedding >= 0.9999


def test_auto_takes_onnx_runtime_where_openvino_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(select.importlib.util, "find_spec", lambda _: None)
    choice = select.choose_engines(VisionSettings())
    assert choice.recogniser.name == "onnxruntime"
    assert "not installed" in choice.reason


@needs_openvino
@pytest.mark.parametrize(("bf16", "precision"), [(False, "fp32"), (True, "bf16")])
def test_auto_embeds_in_openvino_and_detects_in_onnx_runtime(
    monkeypatch: pytest.MonkeyPatch, bf16: bool, precision: str
) -> None:
    monkeypatch.setattr(select, "computes_bf16", lambda: bf16)
    choice = select.choose_engines(VisionSettings())
    assert (choice.detector.name, choice.detector.precision) == ("onnxruntime", "fp32")
    assert (choice.recogniser.name, choice.recogniser.precision) == ("openvino", precision)


@needs_openvino
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9])
def test_openvino_embeds_any_number_of_faces_alike(models_dir: Path, count: int) -> None:
    recogniser = load_model(VisionSettings(models_dir=models_dir, engine="openvino")).recogniser
    crops = list(np.random.default_rng(count).integers(0, 256, (count, 112, 112, 3), np.uint8))
    alone = np.concatenate([recogniser.embed([crop]) for crop in crops])
    assert (recogniser.embed(crops) * alone).sum(axis=1).min() >= 0.9999


def test_openvino_without_its_package_is_an_error_that_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(select.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModelError, match="openvino is not installed"):
        select.choose_engines(VisionSettings(engine="openvino"))


def test_tensorflow_cannot_run_an_onnx_model(models_dir: Path) -> None:
    with pytest.raises(ModelError, match="SFace is an ONNX file"):
        build_pipeline(VisionSettings(models_dir=models_dir, engine="tensorflow"))


def test_exactly_one_distribution_owns_cv2_and_onnxruntime() -> None:
    from importlib.metadata import packages_distributions

    owners = packages_distributions()
    assert len(set(owners["cv2"])) == 1
    assert len(set(owners["onnxruntime"])) == 1


def test_two_owners_of_one_folder_are_refused_at_boot(tmp_path: Path) -> None:
    require_single_owners()
    record = tmp_path / "onnxruntime_gpu-1.26.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: onnxruntime-gpu\nVersion: 1\n")
    sys.path.append(str(tmp_path))
    try:
        with pytest.raises(ModelError, match="onnxruntime and onnxruntime-gpu are both installed"):
            require_single_owners()
    finally:
        sys.path.remove(str(tmp_path))


def test_opencv_is_held_to_the_threads_of_the_settings(pipeline: RecognitionPipeline) -> None:
    del pipeline
    cv2 = sys.modules["cv2"]
    assert cv2.getNumThreads() == 1


def test_a_swapped_channel_order_fails_the_self_test(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.domain.errors import ModelSelfTestFailed
    from workers.vision.faces import recogniser as recognise

    prepare: Callable[..., np.ndarray] = recognise.prepare
    monkeypatch.setattr(recognise, "prepare", lambda crops, spec: prepare(crops, spec)[:, ::-1])
    with pytest.raises(ModelSelfTestFailed, match="recogniser"):
        build_pipeline(VisionSettings(models_dir=models_dir))
