from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.domain.calibration import Calibration, RateBasis, read_calibration, version_of_file
from app.domain.calibration_files import (
    calibration_in_use,
    choose_calibration,
    install_calibration,
    installed_calibrations,
)
from app.domain.errors import CalibrationInvalid

MODEL = "SFace@0123456789ab"
SHIPPED = Calibration(
    0.1, 0.1, provisional=True, source="shipped", model=MODEL, measured_to=0.01, people=50, pairs=99
)


def content(**impostor: Any) -> dict[str, Any]:
    made = {
        "format": 1,
        "model": MODEL,
        "source": "a test",
        "impostor": {
            "mean": 0.05,
            "deviation": 0.09,
            "measured_to": 1e-4,
            "people": 500,
            "pairs": 124_750,
        }
        | impostor,
    }
    return {"version": version_of_file(made), **made}


def file(tmp_path: Path, made: dict[str, Any]) -> Path:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(made), encoding="utf-8")
    return path


def test_a_rate_is_measured_down_to_what_the_data_support_and_extrapolated_below() -> None:
    assert SHIPPED.basis(0.01) is RateBasis.MEASURED
    assert SHIPPED.basis(0.0099) is RateBasis.EXTRAPOLATED


def test_of_another_model_no_rate_was_measured() -> None:
    other = SHIPPED.applied_to("SFace@another")

    assert SHIPPED.applied_to(MODEL) == SHIPPED
    assert other.basis(0.5) is RateBasis.EXTRAPOLATED
    assert other.threshold(0.01) == SHIPPED.threshold(0.01)


def test_a_file_says_what_was_fitted_to_how_much() -> None:
    read = read_calibration(json.dumps(content()))

    assert (read.mean, read.deviation, read.measured_to) == (0.05, 0.09, 1e-4)
    assert (read.model, read.people, read.pairs) == (MODEL, 500, 124_750)
    assert read.version == content()["version"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mean": 2.0}, "mean"),
        ({"deviation": 0.0}, "deviation"),
        ({"deviation": "wide"}, "no calibration"),
        ({"measured_to": 0.0}, "support"),
    ],
)
def test_what_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(CalibrationInvalid, match=said):
        read_calibration(json.dumps(content(**change)))


def test_a_file_that_was_changed_by_hand_is_refused() -> None:
    made = content()
    made["impostor"]["mean"] = 0.01

    with pytest.raises(CalibrationInvalid, match="changed"):
        read_calibration(json.dumps(made))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}'])
def test_what_is_no_calibration_is_refused(text: str) -> None:
    with pytest.raises(CalibrationInvalid):
        read_calibration(text)


def test_an_installed_calibration_is_used_for_its_model_alone(tmp_path: Path) -> None:
    installed = install_calibration(tmp_path / "models", file(tmp_path, content()))

    assert calibration_in_use(tmp_path / "models", MODEL, SHIPPED) == installed
    assert calibration_in_use(tmp_path / "models", "SFace@another", SHIPPED).version == "shipped"
    assert installed_calibrations(tmp_path / "models") == [installed]


def test_the_shipped_calibration_and_earlier_versions_come_back_when_chosen(tmp_path: Path) -> None:
    models = tmp_path / "models"
    first = install_calibration(models, file(tmp_path, content()))
    second = install_calibration(models, file(tmp_path, content(mean=0.06)))
    assert calibration_in_use(models, MODEL, SHIPPED) == second

    choose_calibration(models, MODEL, first.version)
    assert calibration_in_use(models, MODEL, SHIPPED) == first

    choose_calibration(models, MODEL, "shipped")
    assert calibration_in_use(models, MODEL, SHIPPED) == SHIPPED


def test_a_version_is_not_chosen_for_another_model_nor_when_it_is_not_there(tmp_path: Path) -> None:
    installed = install_calibration(tmp_path, file(tmp_path, content()))

    with pytest.raises(CalibrationInvalid, match="fitted for"):
        choose_calibration(tmp_path, "SFace@another", installed.version)
    with pytest.raises(CalibrationInvalid, match="cannot be read"):
        choose_calibration(tmp_path, MODEL, "0123456789ab")
    with pytest.raises(CalibrationInvalid, match="no version"):
        choose_calibration(tmp_path, MODEL, "../../etc/passwd")


def test_nothing_is_decided_by_a_calibration_that_is_gone(tmp_path: Path) -> None:
    installed = install_calibration(tmp_path, file(tmp_path, content()))
    (tmp_path / "calibrations" / f"{installed.version}.json").unlink()

    with pytest.raises(CalibrationInvalid, match="cannot be read"):
        calibration_in_use(tmp_path, MODEL, SHIPPED)
