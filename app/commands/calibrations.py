"""`flask calibrations`: by which rates faces are judged. See docs/calibration.md."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app

from app.commands.typed_errors import CommandGroup, table
from app.domain.calibration import SHIPPED, Calibration, read_calibration
from app.domain.calibration_files import (
    choose_calibration,
    install_calibration,
    installed_calibrations,
    versions_in_use,
)
from app.domain.errors import CalibrationInvalid
from app.domain.model_registry import load_registry

group = CommandGroup("calibrations", help="By which false match rates faces are judged.")

_RATES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


def _models_dir() -> Path:
    folder: Path = current_app.config["SETTINGS"].models_dir
    return folder


def _shipped() -> dict[str, Calibration]:
    """The registry's own, by the identity they were fitted for, or else the model's name."""
    models = load_registry(_models_dir()).models
    return {entry.calibration.model or name: entry.calibration for name, entry in models.items()}


@group.command("list")
def show() -> None:
    """Print what there is: version, model, people, comparisons, lowest measured rate, in use."""
    chosen = versions_in_use(_models_dir())
    rows: list[tuple[object, ...]] = [
        _row(model, each, in_use=model not in chosen) for model, each in _shipped().items()
    ]
    for each in installed_calibrations(_models_dir()):
        model = each.model or ""
        rows.append(_row(model, each, in_use=chosen.get(model) == each.version))
    table(rows)


def _row(model: str, each: Calibration, *, in_use: bool) -> tuple[object, ...]:
    used = "in use" if in_use else None
    return (each.version, model, each.people, each.pairs, each.measured_to, used, each.source)


@group.command("install")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def install(file: Path) -> None:
    """Install a file that scripts/calibrate.py made, and use it for its model from now on.

    Results tell by which version they were judged. Every host with workers needs it.
    """
    try:
        calibration = install_calibration(_models_dir(), file)
    except OSError as error:
        raise click.ClickException(f"{error.filename or file}: {error.strerror}") from error
    click.echo(f"{calibration.version} is in use for {calibration.model}")


@group.command("use")
@click.argument("model")
@click.argument("version")
def use(model: str, version: str) -> None:
    """Use an installed VERSION for MODEL (name@digest), or with `shipped` the registry's again."""
    choose_calibration(_models_dir(), model, version)
    click.echo(f"{version} is in use for {model}")


@group.command("compare")
@click.argument("first")
@click.argument("second")
def compare(first: str, second: str) -> None:
    """Print the thresholds of two calibrations: versions, files, or NAME@DIGEST for the shipped.

    Each line: rate, threshold of the first, of the second, and the rate that the second states at
    the first's threshold. `*` marks what is extrapolated.
    """
    one, two = _found(first), _found(second)
    table([("rate", one.version, two.version, "second's rate at first's threshold")])
    for rate in _RATES:
        there = two.false_match_rate(one.threshold(rate))
        table([(f"{rate:g}", _shown(one, rate), _shown(two, rate), f"{there:.2g}")])


def _shown(calibration: Calibration, rate: float) -> str:
    mark = "" if calibration.basis(rate) == "measured" else "*"
    return f"{calibration.threshold(rate):.3f}{mark}"


def _found(name: str) -> Calibration:
    if name in (shipped := _shipped()):
        return shipped[name]
    for each in installed_calibrations(_models_dir()):
        if each.version == name:
            return each
    if not Path(name).is_file():
        known = ", ".join(shipped)
        raise CalibrationInvalid(f"There is no calibration {name!r}; {SHIPPED} are {known}")
    return read_calibration(Path(name).read_text(encoding="utf-8"))
