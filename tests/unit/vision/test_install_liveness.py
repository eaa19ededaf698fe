"""Installing a liveness model: published weights become graphs, an operator's own are pinned."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from click.testing import CliRunner, Result

from app.domain import model_registry
from app.domain.errors import (
    ModelError,
    ModelNotInstalled,
)
from app.domain.model_registry import REGISTRY_FILE, load_registry
from tests.factories.liveness_standin import NAMES, without_red, write_standins
from tests.factories.torch_weights import narrow_minifasnet, write_torch_file
from workers.commands.installed_models import models
from workers.vision.weights import install_weights
from workers.vision.weights.adopt_classifier import adopt_classifier
from workers.vision.weights.minifasnet import minifasnet_graph

PUBLISHED = ("minifasnet_v2.onnx", "minifasnet_v1se.onnx")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def invoke(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `models ARGUMENTS` on a models folder of its own, on a machine without the internet."""

    def refuse(location: str, into: Path) -> Path:
        if location.startswith("https:"):
            raise ModelError("no internet here")
        return fetch(location, into)

    fetch = install_weights.fetch_location
    monkeypatch.setattr(install_weights, "fetch_location", refuse)
    monkeypatch.setenv("MODELS_DIR", str(folder))
    return lambda *arguments: CliRunner().invoke(models, arguments)


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two files of weights, and a registry that names them as the published ones."""
    text = REGISTRY_FILE.read_text(encoding="utf-8")
    entry = load_registry().liveness_model("MiniFASNet")
    paths = []
    for number, network in enumerate(entry.networks):
        (file,) = [file for file in network.files if file.published]
        weights = narrow_minifasnet(number, excited=bool(number))
        source = write_torch_file(tmp_path / Path(file.sources[0].location).name, weights)
        text = text.replace(file.sources[0].sha256, sha256(source.read_bytes()))
        text = text.replace(str(file.sha256), sha256(minifasnet_graph(source)))
        paths.append(str(source))
    changed = tmp_path / "models.toml"
    changed.write_text(text, encoding="utf-8")
    monkeypatch.setattr(model_registry, "REGISTRY_FILE", changed)
    return paths


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def answers(network: bytes, pictures: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(network)
    (classes,) = session.run(None, {session.get_inputs()[0].name: pictures})
    return np.asarray(classes)


def softmax_of(logits: np.ndarray) -> np.ndarray:
    exponents = np.exp(logits)
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True))


def give(paths: list[str]) -> list[str]:
    return [argument for path in paths for argument in ("--file", path)]


def installed(folder: Path) -> list[str]:
    entry = load_registry(folder).liveness_model("MiniFASNet")
    return [path.name for path in entry.verified_paths(folder)]


def test_the_published_weights_become_graphs(
    invoke: Callable[..., Result], published: list[str], folder: Path
) -> None:
    result = invoke("install", "MiniFASNet", *give(published))

    assert result.exit_code == 0, result.output
    assert "MiniFASNet is ready as MiniFASNet@" in result.output
    assert installed(folder) == list(PUBLISHED)


def test_without_the_internet_the_files_to_give_are_named(
    invoke: Callable[..., Result], folder: Path
) -> None:
    result = invoke("install", "MiniFASNet")

    assert result.exit_code == 1
    assert "--file 2.7_80x80_MiniFASNetV2.pth" in result.output
    with pytest.raises(ModelNotInstalled):
        installed(folder)


def test_an_operators_own_networks_are_known_by_their_names_and_pinned(
    invoke: Callable[..., Result], tmp_path: Path, folder: Path
) -> None:
    result = invoke("install", "MiniFASNet", *give(write_standins(tmp_path / "given")))

    assert result.exit_code == 0, result.output
    assert installed(folder) == ["minifasnet_v2_own.onnx", "minifasnet_v1se_own.onnx"]
    assert "already installed" in invoke("install", "MiniFASNet").output


def test_a_file_under_another_name_is_not_taken_for_a_network(
    invoke: Callable[..., Result], tmp_path: Path, folder: Path
) -> None:
    given = [str(shutil.copy(path, tmp_path / "x.onnx")) for path in write_standins(tmp_path)[:1]]

    assert invoke("install", "MiniFASNet", *give(given)).exit_code == 1
    with pytest.raises(ModelNotInstalled):
        installed(folder)


def test_published_weights_replace_an_operators_own_when_they_are_given(
    invoke: Callable[..., Result], published: list[str], tmp_path: Path, folder: Path
) -> None:
    invoke("install", "MiniFASNet", *give(write_standins(tmp_path / "given")))
    before = load_registry(folder).liveness_model("MiniFASNet").identity

    invoke("install", "MiniFASNet", *give(published))

    assert installed(folder) == list(PUBLISHED)
    assert load_registry(folder).liveness_model("MiniFASNet").identity != before


@pytest.mark.parametrize("planes", [True, False])
@pytest.mark.parametrize("softmax", [True, False])
def test_a_network_of_any_form_gets_planes_in_and_probabilities_out(
    tmp_path: Path, *, planes: bool, softmax: bool
) -> None:
    (source, _) = write_standins(tmp_path, planes=planes, softmax=softmax)
    ramp = np.linspace(30, 60, 80, dtype=np.float32)
    planes_in = np.zeros((2, 3, 80, 80), np.float32)
    planes_in[0, 2] = ramp[:, np.newaxis] - 37  # red, in the order BGR, from top to bottom
    planes_in[1, 2] = ramp[np.newaxis] - 37  # and from left to right

    found = answers(adopt_classifier(Path(source)), planes_in)

    original = answers(
        Path(source).read_bytes(), planes_in if planes else planes_in.transpose(0, 2, 3, 1)
    )
    np.testing.assert_allclose(found, original if softmax else softmax_of(original), atol=1e-5)
    assert abs(found[0, 1] - found[1, 1]) > 0.01, "turned on its side it should be another picture"


@pytest.mark.parametrize("content", [b"", b"no network"])
def test_what_is_no_network_is_refused(
    invoke: Callable[..., Result], tmp_path: Path, content: bytes
) -> None:
    (tmp_path / NAMES[0]).write_bytes(content)

    result = invoke("install", "MiniFASNet", "--file", str(tmp_path / NAMES[0]))

    assert result.exit_code == 1
    assert "no network that runs" in result.output


def test_verify_computes_and_measures_errors_on_the_operators_images(
    invoke: Callable[..., Result], tmp_path: Path, folder: Path, models_dir: Path, portraits: Path
) -> None:
    invoke("install", "MiniFASNet", *give(write_standins(tmp_path / "given")))
    for file in models_dir.glob("*_fp32.onnx"):
        (folder / file.name).symlink_to(file)
    live, spoofs = tmp_path / "live", tmp_path / "spoofs"
    live.mkdir()
    spoofs.mkdir()
    for name in ("obama.jpg", "biden.jpg"):
        shutil.copy(portraits / name, live / name)
        (spoofs / name).write_bytes(without_red(portraits / name))
    folders = ("--live", str(live), "--spoofs", str(spoofs))

    good = invoke("verify", "MiniFASNet", *folders)
    shutil.copy(live / "obama.jpg", spoofs / "passes.jpg")
    bad = invoke("verify", "MiniFASNet", *folders)

    assert good.exit_code == 0, good.output
    assert "APCER 0.00% (0 of 2 spoofs pass)" in good.output
    assert "BPCER 0.00% (0 of 2 live faces are refused)" in good.output
    assert bad.exit_code == 1
    assert "APCER 33.33% (1 of 3 spoofs pass)" in bad.output
