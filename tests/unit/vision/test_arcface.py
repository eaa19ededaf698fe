"""ArcFace without its weights: random ones of the true architecture exercise the true path.

What random weights cannot show (channel order, value range) is why the registry calls the model
experimental.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from app.domain.errors import (
    ModelLicenceRefused,
    ModelSelfTestFailed,
)
from app.domain.model_registry import load_registry
from tests.factories.deepface_networks import WITHOUT_WEIGHTS
from workers.vision.faces.align import align
from workers.vision.pipeline import (
    ImageInput,
    PipelineOptions,
    RecognitionPipeline,
    VisionSettings,
    build_pipeline,
)
from workers.vision.weights.install_weights import Installation

PORTRAIT = "astronaut.png"

_MAKE_H5 = (
    WITHOUT_WEIGHTS
    + """
from deepface.models.facial_recognition.tf import ArcFace
import numpy as np
network = ArcFace.load_model()
network.save_weights(sys.argv[1])
np.save(sys.argv[3], network(np.load(sys.argv[2])[np.newaxis], training=False)[0])
"""
)

# A child of its own: TensorFlow stays out of the test process, as it stays out of every parent.
_EMBED = """
import sys
from pathlib import Path
import numpy as np
from workers.vision.pipeline import *
settings = VisionSettings(model="ArcFace", models_dir=Path(sys.argv[1]), allow_noncommercial=True)
pipeline = build_pipeline(settings)
image = ImageInput(0, Path(sys.argv[2]).read_bytes, PipelineOptions())
((result,),) = pipeline.run([image])
np.savez(sys.argv[3], engine=pipeline.engine, embedding=result.faces[0].embedding)
"""


def run_python(code: str, *arguments: object) -> None:
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def install(folder: Path, weights: Path, models_dir: Path) -> None:
    detector = models_dir / load_registry().model("ArcFace").detector.file.name
    Installation(folder, [str(detector), str(weights)], print).install(
        load_registry().model("ArcFace")
    )


def stand_in(path: Path) -> None:
    """Write a network of ArcFace's shape: NHWC picture in, 512 numbers out."""
    random = np.random.default_rng(11)
    kernel = random.normal(0, 0.1, (32, 3, 8, 8)).astype(np.float32)
    weights = random.normal(0, 0.1, (32 * 14 * 14, 512)).astype(np.float32)
    nodes = [
        helper.make_node("Transpose", ["input"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "kernel"], ["cells"], strides=[8, 8]),
        helper.make_node("Relu", ["cells"], ["active"]),
        helper.make_node("Flatten", ["active"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "stand-in",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 112, 112, 3])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", 512])],
        [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(weights, "weights")],
    )
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=9), path)


@pytest.fixture(scope="module")
def fed(
    pipeline: RecognitionPipeline, portrait: Callable[[str], np.ndarray], portraits: Path
) -> np.ndarray:
    """What ArcFace has to be fed of a portrait: RGB, (x - 127.5) / 128, channels last."""
    image = ImageInput(0, (portraits / PORTRAIT).read_bytes, PipelineOptions())
    ((result,),) = pipeline.run([image])
    crop = align(portrait(PORTRAIT), result.faces[0].landmarks)
    return ((crop[..., ::-1] - 127.5) / 128).astype(np.float32)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.fixture
def with_stand_in(tmp_path: Path, models_dir: Path) -> Path:
    stand_in(tmp_path / "mine.onnx")
    install(tmp_path / "models", tmp_path / "mine.onnx", models_dir)
    return tmp_path / "models"


@pytest.fixture
def pipeline_of_stand_in(with_stand_in: Path) -> RecognitionPipeline:
    return build_pipeline(
        VisionSettings(model="ArcFace", models_dir=with_stand_in, allow_noncommercial=True)
    )


def test_an_onnx_file_of_the_operator_sees_faces_as_the_registry_states(
    pipeline_of_stand_in: RecognitionPipeline, with_stand_in: Path, portraits: Path, fed: np.ndarray
) -> None:
    session = onnxruntime.InferenceSession(with_stand_in / "arcface_weights.onnx")
    (expected,) = session.run(None, {"input": fed[np.newaxis]})
    image = ImageInput(0, (portraits / PORTRAIT).read_bytes, PipelineOptions())
    ((result,),) = pipeline_of_stand_in.run([image])
    embedding = result.faces[0].embedding
    assert embedding is not None
    assert embedding.shape == (512,)
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)
    assert cosine(embedding, expected[0]) >= 0.99999
    assert pipeline_of_stand_in.model.startswith("ArcFace@")


def test_its_licence_is_asked_about_when_a_worker_starts(with_stand_in: Path) -> None:
    with pytest.raises(ModelLicenceRefused):
        build_pipeline(VisionSettings(model="ArcFace", models_dir=with_stand_in))


def test_a_network_that_ignores_its_input_is_refused(
    tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent:
        def normal(self, _mean: float, _spread: float, shape: tuple[int, ...]) -> np.ndarray:
            return np.zeros(shape)

    monkeypatch.setattr(np.random, "default_rng", lambda _seed: Silent())
    stand_in(tmp_path / "mine.onnx")
    install(tmp_path / "models", tmp_path / "mine.onnx", models_dir)
    settings = VisionSettings(
        model="ArcFace", models_dir=tmp_path / "models", allow_noncommercial=True
    )
    with pytest.raises(ModelSelfTestFailed):
        build_pipeline(settings)


@pytest.mark.slow
def test_deepface_runs_the_true_architecture_on_tensorflow(
    tmp_path: Path,
    models_dir: Path,
    portraits: Path,
    fed: np.ndarray,
) -> None:
    weights, picture = tmp_path / "random.h5", tmp_path / "fed.npy"
    expected, answer = tmp_path / "expected.npy", tmp_path / "answer.npz"
    np.save(picture, fed)
    run_python(_MAKE_H5, weights, picture, expected)
    install(tmp_path / "models", weights, models_dir)
    run_python(_EMBED, tmp_path / "models", portraits / PORTRAIT, answer)
    found = np.load(answer)
    assert str(found["engine"]) == "tensorflow fp32"
    assert found["embedding"].shape == (512,)
    assert np.linalg.norm(found["embedding"]) == pytest.approx(1, abs=1e-5)
    assert cosine(found["embedding"], np.load(expected)) >= 0.99999
