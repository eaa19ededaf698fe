"""Calibrations of an installation: files beside its weights, and which one a model uses.

`MODELS_DIR/calibrations/` holds a file a version, and `in_use.json`, which names one version for
each model identity. A model without an entry uses the one that the registry ships.
"""

from __future__ import annotations

import json
from pathlib import Path

from app.domain.calibration import SHIPPED, Calibration, read_calibration
from app.domain.errors import CalibrationInvalid

_FOLDER = "calibrations"
_IN_USE = "in_use.json"


def installed_calibrations(models_dir: Path) -> list[Calibration]:
    """Read all that are installed, by version; raises CalibrationInvalid for a damaged one."""
    files = sorted((models_dir / _FOLDER).glob("*.json"))
    return [_read(file) for file in files if file.name != _IN_USE]


def calibration_in_use(models_dir: Path, identity: str, shipped: Calibration) -> Calibration:
    """Return what is used for faces of `identity`: the installed one that was chosen, or `shipped`.

    Raises:
        CalibrationInvalid: the chosen file is gone or damaged. Nothing is decided then, rather than
            by other rates than the operator chose.
    """
    version = versions_in_use(models_dir).get(identity)
    if version is None:
        return shipped.applied_to(identity)
    return _read(_path(models_dir, version)).applied_to(identity)


def versions_in_use(models_dir: Path) -> dict[str, str]:
    """Return the version that each model identity uses, where one was chosen."""
    try:
        chosen = json.loads((models_dir / _FOLDER / _IN_USE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise CalibrationInvalid(f"{models_dir / _FOLDER / _IN_USE} is damaged") from error
    return {str(identity): str(version) for identity, version in chosen.items()}


def install_calibration(models_dir: Path, file: Path) -> Calibration:
    """Copy a calibration file to `models_dir` and use it from now on for its model.

    Raises:
        CalibrationInvalid: it is none.
        OSError: it cannot be read, or the folder not be written.
    """
    text = file.read_text(encoding="utf-8")
    try:
        calibration = read_calibration(text)
    except CalibrationInvalid as error:
        raise CalibrationInvalid(f"{file}: {error}") from error
    _write(_path(models_dir, calibration.version), text)
    if calibration.model is not None:
        choose_calibration(models_dir, calibration.model, calibration.version)
    return calibration


def choose_calibration(models_dir: Path, identity: str, version: str) -> None:
    """Use an installed version for a model, or with "shipped" the registry's again.

    Raises:
        CalibrationInvalid: this version is not installed, or was fitted for another model.
    """
    chosen = versions_in_use(models_dir)
    if version == SHIPPED:
        chosen.pop(identity, None)
    else:
        fitted_for = _read(_path(models_dir, version)).model
        if fitted_for != identity:
            raise CalibrationInvalid(f"{version} was fitted for {fitted_for}, not for {identity}")
        chosen[identity] = version
    _write(models_dir / _FOLDER / _IN_USE, json.dumps(chosen, indent=1, sort_keys=True) + "\n")


def _path(models_dir: Path, version: str) -> Path:
    if not version.isalnum():
        raise CalibrationInvalid(f"{version!r} is no version of a calibration")
    return models_dir / _FOLDER / f"{version}.json"


def _read(path: Path) -> Calibration:
    try:
        return read_calibration(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CalibrationInvalid(f"{path} cannot be read: {error.strerror}") from error
    except CalibrationInvalid as error:
        raise CalibrationInvalid(f"{path}: {error}") from error


def _write(path: Path, text: str) -> None:
    """Write whole or not at all: workers read while this is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
