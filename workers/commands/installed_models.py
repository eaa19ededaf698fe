"""`flask --app wsgi models`: list, install and verify the models of the registry."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from app.domain.errors import ModelError
from app.domain.model_registry import AnyEntry, load_registry
from app.domain.weights import file_in_use

_DEFAULT_MODELS_DIR = ".facequeue/models"
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def _models_dir() -> Path:
    """Where weights lie: read alone, so that installing needs no other setting."""
    return Path(os.environ.get("MODELS_DIR", _DEFAULT_MODELS_DIR))


def _entry(name: str) -> AnyEntry:
    try:
        return load_registry(_models_dir()).any_model(name)
    except ModelError as error:
        raise click.ClickException(str(error)) from error


@click.group()
def models() -> None:
    """Recognition and liveness models: what there is, installing weights, checking them."""


@models.command("list")
def list_models() -> None:
    """List the models of the registry and whether their weights are installed."""
    registry = load_registry(_models_dir())
    for entry in registry.models.values():
        click.echo(f"{entry.name}: {entry.dimensions} dimensions, {_state(entry)}")
        click.echo(f"  licence: {entry.licence.name}")
        if not entry.commercial_use:
            click.echo("  commercial use: not allowed by the licence")
        if entry.experimental:
            click.echo("  experimental: run `models verify --images` on labelled images first")
        click.echo(f"  threshold: {entry.default_threshold} ({entry.threshold_source})")
    for liveness in registry.liveness.values():
        click.echo(f"{liveness.name}: passive liveness, {_state(liveness)}")
        click.echo(f"  licence: {liveness.licence.name}")
        click.echo(f"  threshold: {liveness.threshold} ({liveness.threshold_source})")
    for attribute, estimating in registry.attributes.items():
        click.echo(f"{estimating.name}: estimates {attribute}, {_state(estimating)}")
        click.echo(f"  licence: {estimating.licence.name}")


def _state(entry: AnyEntry) -> str:
    try:
        for part in entry.parts:
            file_in_use(entry.name, part).verified_path(_models_dir(), entry.name)
    except ModelError as error:
        return str(error)
    return f"installed as {entry.identity}"


@models.command()
@click.argument("name")
@click.option(
    "--file",
    "files",
    multiple=True,
    metavar="LOCATION",
    help="Weights of your own, or a wheel that holds them: a path, an https:// URL or an s3:// "
    "object. May be given several times.",
)
def install(name: str, files: tuple[str, ...]) -> None:
    """Fetch, check and install the weights of model NAME into MODELS_DIR."""
    from workers.vision.weights.install_weights import Installation

    try:
        Installation(_models_dir(), files, click.echo).install(_entry(name))
        identity = _entry(name).identity
    except ModelError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{_models_dir()} cannot be written: {error}") from error
    click.echo(f"{name} is ready as {identity}")


@models.command()
@click.argument("name", required=False)
@click.option(
    "--images",
    type=_FOLDER,
    help="A folder with one sub-folder of images a person: measures the equal error rate.",
)
@click.option(
    "--max-eer", default=0.02, show_default=True, help="Highest equal error rate to pass."
)
@click.option(
    "--live", type=_FOLDER, help="Images of people; with --spoofs, measures a liveness model."
)
@click.option("--spoofs", type=_FOLDER, help="Images of prints, screens and masks.")
@click.option(
    "--max-apcer", default=0.05, show_default=True, help="Highest share of spoofs that may pass."
)
def verify(name: str | None, **measures: Any) -> None:
    """Check the digests of installed models and let them compute their reference answers.

    Ends with status 1 when a model fails, or measures worse on your images than it may.
    """
    registry = load_registry()
    names = [name] if name else [e for e in registry.names if _installed(e)]
    if not names:
        raise click.ClickException(
            "No model is installed. Run: flask --app wsgi models install SFace"
        )
    for each in names:
        try:
            if each not in registry.models and each not in registry.liveness:
                click.echo(f"{each}: {_state(_entry(each))}")
            elif each in registry.liveness:
                _verify_liveness(each, measures["live"], measures["spoofs"], measures["max_apcer"])
            else:
                _verify(each, measures["images"], measures["max_eer"])
        except ModelError as error:
            raise click.ClickException(str(error)) from error


def _verify(name: str, images: Path | None, max_eer: float) -> None:
    from workers.vision.measure.measure_error import measure_folder
    from workers.vision.pipeline import VisionSettings, build_pipeline

    # Checking is no use of the model: the licence is asked about when a worker starts.
    settings = VisionSettings(
        model=name, models_dir=_models_dir(), allow_noncommercial=True, liveness="off"
    )
    pipeline = build_pipeline(settings)
    click.echo(f"{pipeline.model}: computes its reference embedding ({pipeline.engine})")
    if images is None:
        return
    report = measure_folder(pipeline, images)
    click.echo(report.text)
    if report.equal_error_rate > max_eer:
        raise ModelError(f"The equal error rate is above {max_eer:.2%}")


def _verify_liveness(name: str, live: Path | None, spoofs: Path | None, max_apcer: float) -> None:
    from workers.vision.engines.select import choose_engines
    from workers.vision.faces.liveness import load_liveness
    from workers.vision.measure.measure_liveness import measure_liveness
    from workers.vision.pipeline import VisionSettings, build_pipeline

    settings = VisionSettings(
        models_dir=_models_dir(),
        allow_noncommercial=True,
        liveness="required",
        liveness_model=name,
    )
    load_liveness(settings, choose_engines(settings).detector)
    click.echo(f"{_entry(name).identity}: computes its reference answers")
    if live is None or spoofs is None:
        return
    report = measure_liveness(build_pipeline(settings), live, spoofs)
    click.echo(report.text)
    if report.apcer > max_apcer:
        raise ModelError(f"More than {max_apcer:.2%} of the spoofs pass")


def _installed(name: str) -> bool:
    return _state(_entry(name)).startswith("installed")
