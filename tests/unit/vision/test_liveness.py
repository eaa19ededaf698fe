"""Passive liveness in the pipeline: real faces, real engine, networks that know only colour."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.domain import model_registry
from app.domain.errors import (
    ModelDigestMismatch,
    ModelLicenceRefused,
    ModelNotInstalled,
    ModelSelfTestFailed,
)
from app.domain.model_registry import REGISTRY_FILE, LivenessEntry, load_registry
from tests.factories.liveness_standin import without_red, write_standins
from workers.vision.faces.liveness import PassiveLiveness, enlarged_view, installed_liveness
from workers.vision.pipeline import (
    ImageInput,
    ImageResult,
    PipelineOptions,
    RecognitionPipeline,
    VisionSettings,
    build_pipeline,
)
from workers.vision.weights import liveness_self_test
from workers.vision.weights.install_weights import Installation

ENTRY = load_registry().liveness_model("MiniFASNet")


@pytest.fixture(scope="module")
def with_standins(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with SFace and, as the operator's own files, the stand-ins for MiniFASNet."""
    folder = tmp_path_factory.mktemp("models")
    for file in models_dir.glob("*_fp32.onnx"):
        (folder / file.name).symlink_to(file)
    given = write_standins(folder / "given")
    Installation(folder, given, print).install(ENTRY)
    return folder


@pytest.fixture(scope="module")
def checking(with_standins: Path) -> RecognitionPipeline:
    return build_pipeline(VisionSettings(models_dir=with_standins, liveness="required"))


Judge = Callable[..., list[ImageResult]]


@pytest.fixture(scope="module")
def judge(checking: RecognitionPipeline) -> Judge:
    """Runs images through the pipeline together, liveness asked for; results in their order."""

    def run(*images: bytes, **options: object) -> list[ImageResult]:
        asked = PipelineOptions(**{"liveness": True, **options})
        inputs = (ImageInput(i, lambda data=data: data, asked) for i, data in enumerate(images))
        results = [result for batch in checking.run(inputs) for result in batch]
        return sorted(results, key=lambda result: result.key)

    return run


def test_a_face_gets_score_decision_threshold_and_model(judge: Judge, portraits: Path) -> None:
    (result,) = judge((portraits / "obama.jpg").read_bytes())

    judged = result.faces[0].liveness
    assert judged is not None
    assert 0.5 <= judged.score <= 1
    assert (judged.live, judged.threshold) == (True, 0.5)
    assert judged.model.startswith("MiniFASNet@")


def test_a_spoof_is_reported_without_an_embedding_and_its_neighbours_with_one(
    judge: Judge, portraits: Path
) -> None:
    photo = portraits / "obama.jpg"

    before, spoof, after = judge(photo.read_bytes(), without_red(photo), photo.read_bytes())

    assert spoof.faces[0].liveness.live is False
    assert spoof.faces[0].embedding is None
    for neighbour in (before, after):
        assert neighbour.faces[0].liveness.live is True
        assert neighbour.faces[0].embedding is not None


def test_each_face_of_a_picture_is_judged_for_itself(
    judge: Judge, portrait: Callable[[str], np.ndarray], portraits: Path, encode: Callable
) -> None:
    real = cv2.resize(portrait("obama.jpg"), (500, 625))
    spoof = cv2.imdecode(np.frombuffer(without_red(portraits / "obama.jpg"), np.uint8), 1)
    small = cv2.resize(spoof, (250, 312))
    beside = np.full((625, 900, 3), 127, np.uint8)
    beside[:, :500], beside[:312, 650:] = real, small

    (result,) = judge(encode(beside, "jpeg"))

    assert [face.liveness.live for face in result.faces] == [True, False]
    assert [face.embedding is not None for face in result.faces] == [True, False]


def test_without_being_asked_nothing_is_judged(judge: Judge, portraits: Path) -> None:
    (result,) = judge((portraits / "obama.jpg").read_bytes(), liveness=False)

    assert result.faces[0].liveness is None
    assert result.faces[0].embedding is not None


def test_a_picture_without_faces_is_no_error_where_a_model_is_installed(
    judge: Judge, encode: Callable
) -> None:
    (result,) = judge(encode(np.zeros((64, 64, 3), np.uint8), "png"))

    assert (result.faces, result.error) == ((), None)


def test_faces_that_are_not_embedded_are_judged_as_well(judge: Judge, portraits: Path) -> None:
    (result,) = judge((portraits / "obama.jpg").read_bytes(), embed=False)

    assert result.faces[0].liveness.live is True


# --- the view of a face -------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [2.7, 4.0])
def test_the_view_is_the_one_deepface_shows_its_networks(scale: float) -> None:
    os.environ.setdefault("DEEPFACE_BACKEND_ENGINE", "onnx")
    from deepface.models.spoofing.FasNetUtils import crop

    random = np.random.default_rng(5)
    picture = random.integers(0, 256, (300, 420, 3), dtype=np.uint8)
    for _ in range(200):
        corner, size = random.uniform((-20, -20), (380, 270)), random.uniform(16, 250, 2)
        box = np.array([*corner, *size], dtype=np.float32)
        expected = crop(picture, [float(value) for value in box], scale, 80, 80)
        np.testing.assert_array_equal(enlarged_view(picture, box, scale), expected)


# --- scoring ------------------------------------------------------------------------------------


@dataclass
class Scripted:
    """A network that answers with the mean of its input, and notes how many faces came at once."""

    batch_size: int = 2
    total: float = 1.0
    batches: list[int] = field(default_factory=list)

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        self.batches.append(len(batch))
        live = batch.mean(axis=(1, 2, 3)) / 255
        return {"any": np.stack([self.total - live, live, np.zeros_like(live)], axis=1)}


@pytest.fixture
def entry(with_standins: Path) -> LivenessEntry:
    return load_registry(with_standins).liveness_model("MiniFASNet")


def views(*levels: int) -> list[tuple[np.ndarray, ...]]:
    """Faces that both networks see as one shade."""
    return [(np.full((80, 80, 3), level, np.uint8),) * 2 for level in levels]


def test_faces_are_judged_in_batches_as_large_as_the_engine_likes(entry: LivenessEntry) -> None:
    network = Scripted(batch_size=2)

    results = PassiveLiveness(entry, [network, network]).assess(views(0, 51, 204, 255, 102))

    assert network.batches == [2, 2, 1] * 2
    assert [round(result.score, 3) for result in results] == [0, 0.2, 0.8, 1, 0.4]


def test_the_score_is_the_mean_of_the_networks(entry: LivenessEntry) -> None:
    face = (np.full((80, 80, 3), 255, np.uint8), np.full((80, 80, 3), 0, np.uint8))

    (result,) = PassiveLiveness(entry, [Scripted(), Scripted()]).assess([face])

    assert result.score == 0.5
    assert result.live, "the threshold itself counts as live"


def test_an_answer_that_is_no_probability_is_an_error_never_a_pass(entry: LivenessEntry) -> None:
    for total in (3.0, float("nan")):
        with pytest.raises(ValueError, match="probabilities"):
            PassiveLiveness(entry, [Scripted(total=total)] * 2).assess(views(255))


# --- loading ------------------------------------------------------------------------------------


def settings(folder: Path, mode: str) -> VisionSettings:
    return VisionSettings(models_dir=folder, liveness=mode)


def test_a_required_model_that_is_not_installed_names_the_command(models_dir: Path) -> None:
    with pytest.raises(ModelNotInstalled, match="models install MiniFASNet"):
        build_pipeline(settings(models_dir, "required"))


def test_a_model_that_is_not_offered_is_not_loaded(with_standins: Path) -> None:
    assert installed_liveness(settings(with_standins, "off")) is None
    assert installed_liveness(settings(with_standins, "installed")) is not None


def test_exchanged_weights_are_refused_even_where_the_model_is_optional(
    with_standins: Path, tmp_path: Path
) -> None:
    for file in with_standins.iterdir():
        (tmp_path / file.name).symlink_to(file)
    exchanged = tmp_path / "minifasnet_v2_own.onnx"
    exchanged.unlink()
    exchanged.write_bytes(b"always live")

    with pytest.raises(ModelDigestMismatch):
        installed_liveness(settings(tmp_path, "installed"))


def test_a_licence_that_forbids_commercial_use_is_refused(
    with_standins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, heading, after = REGISTRY_FILE.read_text().partition("[liveness.MiniFASNet]")
    changed = tmp_path / "models.toml"
    changed.write_text(before + heading + after.replace("use = true", "use = false", 1))
    monkeypatch.setattr(model_registry, "REGISTRY_FILE", changed)

    with pytest.raises(ModelLicenceRefused, match="MiniFASNet"):
        installed_liveness(settings(with_standins, "installed"))


def test_a_model_that_answers_the_same_to_everything_fails_its_self_test(
    entry: LivenessEntry,
) -> None:
    def always_live(faces: list[tuple[np.ndarray, ...]]) -> list[np.ndarray]:
        return [np.tile([0.0, 1.0, 0.0], (len(faces), 1))] * 2

    with pytest.raises(ModelSelfTestFailed, match="same answer"):
        liveness_self_test.run_liveness_self_test(entry, always_live)


def test_a_model_that_computes_something_else_than_its_reference_fails_its_self_test(
    entry: LivenessEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = PassiveLiveness(entry, [Scripted(), Scripted()])
    answers = liveness_self_test.liveness_answers(entry, model.probabilities)
    reference = tmp_path / "self_test.json"
    monkeypatch.setattr(liveness_self_test, "REFERENCE_FILE", reference)

    reference.write_text(json.dumps({entry.identity: answers.tolist()}))
    liveness_self_test.run_liveness_self_test(entry, model.probabilities)

    reference.write_text(json.dumps({entry.identity: (answers + 0.1).tolist()}))
    with pytest.raises(ModelSelfTestFailed, match="differs from its reference"):
        liveness_self_test.run_liveness_self_test(entry, model.probabilities)
