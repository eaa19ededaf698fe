"""MiniFASNet's graph, built from weights alone, against the same network as DeepFace builds it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from app.domain.errors import ModelError
from tests.factories.torch_weights import narrow_minifasnet, write_torch_file
from workers.vision.weights.minifasnet import minifasnet_graph
from workers.vision.weights.torch_file import read_state

# A child of its own, so that TensorFlow stays out of the test process. Layers have the names of
# their PyTorch counterparts with underscores for dots; weights are random, the variances too.
_DEEPFACE = """
import os, sys
os.environ |= {"DEEPFACE_BACKEND_ENGINE": "tensorflow", "TF_USE_LEGACY_KERAS": "1",
               "DEEPFACE_HOME": sys.argv[1], "TF_CPP_MIN_LOG_LEVEL": "3"}
import numpy as np
from deepface.models.spoofing.tf import FasNetBackbone
from deepface.models.spoofing.tf.FasNet import softmax
random = np.random.default_rng(4)
images = random.uniform(0, 255, (3, 1, 1, 3)) * random.uniform(0, 1, (3, 80, 80, 3))
images = images.astype(np.float32)
for variant in ("MiniFASNetV2", "MiniFASNetV1SE"):
    network = getattr(FasNetBackbone, variant)(conv6_kernel=(5, 5))
    arrays = {}
    for layer in network.layers:
        new = []
        for weight in layer.weights:
            part, shape = weight.name.split("/")[-1].split(":")[0], tuple(weight.shape)
            fan_in = 9 if "depthwise" in part else np.prod(shape[:-1]) if "kernel" in part else 200
            deviation = (2 / fan_in) ** 0.5
            value = random.normal(0, deviation, shape)
            if part in ("gamma", "moving_variance"):
                value = random.uniform(0.5, 1.5, shape)
            new.append(value.astype(np.float32))
            arrays[f"{layer.name}/{part}"] = new[-1]
        layer.set_weights(new)
    # The last layer is linear: made small enough for no probability to be 0 or 1.
    arrays["prob/kernel"] /= np.ptp(network(images, training=False).numpy())
    network.get_layer("prob").set_weights([arrays["prob/kernel"]])
    answers = softmax(network(images, training=False).numpy())
    np.savez(f"{sys.argv[1]}/{variant}.npz", images=images, answers=answers, **arrays)
"""

_PARTS = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
    "alpha": "weight",
    "kernel": "weight",
    "depthwise_kernel": "weight",
}


def answers(graph: bytes, images: np.ndarray) -> np.ndarray:
    (classes,) = onnxruntime.InferenceSession(graph).run(None, {"image": images})
    return np.asarray(classes)


@pytest.fixture(scope="module")
def deepface(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights and answers of both networks as DeepFace builds them."""
    folder = tmp_path_factory.mktemp("deepface")
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", _DEEPFACE, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def torch_state(arrays: np.lib.npyio.NpzFile, names: set[str]) -> dict[str, np.ndarray]:
    """DeepFace's arrays under PyTorch's names and in its order of axes."""
    dotted = {name.replace(".", "_"): name for name in names}
    state = {}
    for key in arrays.files:
        layer, _, part = key.partition("/")
        if not part:
            continue
        value = arrays[key]
        if part == "kernel":
            value = value.transpose(3, 2, 0, 1) if value.ndim > 2 else value.T
        elif part == "depthwise_kernel":
            value = value.transpose(2, 3, 0, 1)
        state[dotted[f"{layer}_{_PARTS[part]}"]] = value.reshape(-1) if part == "alpha" else value
    return state


@pytest.mark.parametrize(
    ("variant", "excited"), [("MiniFASNetV2", False), ("MiniFASNetV1SE", True)]
)
def test_the_graph_computes_what_deepfaces_network_computes(
    deepface: Path, tmp_path: Path, variant: str, *, excited: bool
) -> None:
    arrays = np.load(deepface / f"{variant}.npz")
    state = torch_state(arrays, set(narrow_minifasnet(0, excited=excited)))
    source = write_torch_file(tmp_path / "weights.pth", state)

    found = answers(minifasnet_graph(source), arrays["images"].transpose(0, 3, 1, 2))

    assert np.ptp(arrays["answers"], axis=0).max() > 0.01, "the pictures should differ"
    np.testing.assert_allclose(found, arrays["answers"], atol=1e-4)


def test_the_graph_takes_any_number_of_faces_and_gives_probabilities(tmp_path: Path) -> None:
    graph = minifasnet_graph(write_torch_file(tmp_path / "w.pth", narrow_minifasnet(1)))
    images = np.random.default_rng(2).uniform(0, 255, (5, 3, 80, 80)).astype(np.float32)

    together = answers(graph, images)
    apart = np.concatenate([answers(graph, image[np.newaxis]) for image in images])

    np.testing.assert_allclose(together, apart, atol=1e-5)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)


def test_the_same_weights_always_give_the_same_file(tmp_path: Path) -> None:
    first = write_torch_file(tmp_path / "a.pth", narrow_minifasnet(1, excited=True))
    second = write_torch_file(tmp_path / "b.pth", narrow_minifasnet(1, excited=True))

    assert minifasnet_graph(first) == minifasnet_graph(second)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    source = write_torch_file(tmp_path / "other.pth", {"fc.weight": np.zeros((2, 2), "<f4")})

    with pytest.raises(ModelError, match="holds no MiniFASNet"):
        minifasnet_graph(source)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x02K\x01.", b"just text"])
def test_what_is_no_torch_file_is_refused(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "weights.pth"
    source.write_bytes(content)

    with pytest.raises(ModelError, match="no PyTorch file"):
        read_state(source)


def test_a_file_that_would_run_something_is_refused(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    source = tmp_path / "weights.pth"
    source.write_bytes(pickle.dumps(Trap()))

    with pytest.raises(ModelError, match=r"asks for posix\.mkdir"):
        read_state(source)
    assert not (tmp_path / "sprung").exists()


def test_arrays_come_back_as_they_were_saved(tmp_path: Path) -> None:
    state = narrow_minifasnet(3)

    found = read_state(write_torch_file(tmp_path / "w.pth", state))

    assert found.keys() == state.keys()
    for name, array in state.items():
        np.testing.assert_array_equal(found[name], array)
