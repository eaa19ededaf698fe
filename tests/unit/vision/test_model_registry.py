from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.domain import model_registry, weights
from app.domain.calibration import RateBasis
from app.domain.errors import (
    ModelDigestMismatch,
    ModelLicenceRefused,
    ModelNotInstalled,
    ModelUnknown,
)
from app.domain.model_registry import ModelEntry, load_registry


@pytest.fixture
def sface() -> ModelEntry:
    return load_registry().model("SFace")


def test_the_default_model_may_be_used_commercially(sface: ModelEntry) -> None:
    assert sface.commercial_use
    sface.require_licence(allow_noncommercial=False)
    assert (sface.dimensions, sface.default_threshold) == (128, 0.363)


def test_an_unknown_model_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ModelUnknown, match="ArcFace, SFace"):
        load_registry().model("FaceNet")


def test_an_identity_is_the_name_and_twelve_digits(sface: ModelEntry) -> None:
    name, digest = sface.identity.split("@")
    assert name == "SFace"
    assert len(digest) == 12
    assert int(digest, 16)


def test_new_weights_change_the_identity(
    sface: ModelEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = model_registry.REGISTRY_FILE.read_text(encoding="utf-8")
    changed = tmp_path / "models.toml"
    changed.write_text(text.replace(sface.weights.sha256, "0" * 64), encoding="utf-8")
    monkeypatch.setattr(model_registry, "REGISTRY_FILE", changed)
    assert load_registry().model("SFace").identity != sface.identity


def test_new_preprocessing_changes_the_identity(
    sface: ModelEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sface.identity
    monkeypatch.setattr(model_registry, "PREPROCESSING_VERSION", 99)
    assert sface.identity != before


def test_flip_averaging_changes_the_identity(sface: ModelEntry) -> None:
    assert load_registry(flip_averaging=True).model("SFace").identity != sface.identity


def test_a_licence_that_forbids_commercial_use_is_refused_until_the_operator_accepts_it() -> None:
    arcface = load_registry().model("ArcFace")
    with pytest.raises(ModelLicenceRefused, match="ALLOW_NONCOMMERCIAL_MODELS"):
        arcface.require_licence(allow_noncommercial=False)
    arcface.require_licence(allow_noncommercial=True)


def test_weights_that_the_operator_has_not_supplied_have_no_identity() -> None:
    with pytest.raises(ModelNotInstalled, match="models install ArcFace"):
        _ = load_registry().model("ArcFace").identity


def test_pinned_weights_have_an_identity(tmp_path: Path) -> None:
    pins = {"arcface_weights.h5": "ab" * 32}
    (tmp_path / weights.PINS_FILE).write_text(json.dumps(pins), encoding="utf-8")
    assert load_registry(tmp_path).model("ArcFace").identity.startswith("ArcFace@")


def test_missing_weights_name_the_command_to_run(sface: ModelEntry, tmp_path: Path) -> None:
    with pytest.raises(ModelNotInstalled, match="flask --app wsgi models install SFace"):
        sface.weights.verified_path(tmp_path, "SFace")


def test_weights_of_another_digest_are_refused(sface: ModelEntry, tmp_path: Path) -> None:
    (tmp_path / sface.weights.name).write_bytes(b"something else")
    with pytest.raises(ModelDigestMismatch, match=sface.weights.sha256):
        sface.weights.verified_path(tmp_path, "SFace")


def test_the_threshold_of_a_false_match_rate_has_that_rate(sface: ModelEntry) -> None:
    for rate in (1e-2, 1e-4, 1e-6):
        similarity = sface.calibration.threshold(rate)
        assert sface.calibration.false_match_rate(similarity) == pytest.approx(rate, rel=1e-6)


def test_a_higher_similarity_is_a_rarer_accident(sface: ModelEntry) -> None:
    rates = [sface.calibration.false_match_rate(s / 10) for s in range(10)]
    assert rates == sorted(rates, reverse=True)
    assert all(0 < rate < 1 for rate in rates)


@pytest.mark.parametrize("model", ["SFace", "ArcFace"])
def test_no_similarity_is_said_to_be_impossible_between_strangers(model: str) -> None:
    calibration = load_registry().model(model).calibration
    rates = [calibration.false_match_rate(s / 20) for s in range(-20, 21)]
    assert all(0 < rate <= 1 for rate in rates)
    assert rates == sorted(rates, reverse=True)
    assert len(set(rates[20:])) == 21


def test_a_rate_of_nothing_is_a_threshold_that_nobody_reaches(sface: ModelEntry) -> None:
    assert sface.calibration.threshold(0.0) > 1


def test_a_calibration_that_was_not_measured_says_so() -> None:
    calibration = load_registry().model("ArcFace").calibration
    assert calibration.provisional
    assert calibration.source
    assert calibration.basis(0.5) is RateBasis.EXTRAPOLATED


def test_the_calibration_that_is_shipped_is_of_the_model_as_it_is(sface: ModelEntry) -> None:
    # Weights or preprocessing changed? Fit again: scripts/calibrate.py, docs/calibration.md.
    assert sface.calibration.model == sface.identity
