"""`flask --app wsgi models`: list, install and verify recognition models."""

from __future__ import annotations

import os
from pathlib import Path

import click

from app.domain.errors import ModelError
from app.domain.model_registry import ModelEntry, load_registry

_DEFAULT_MODELS_DIR = ".facequeue/models"


def _models_dir() -> Path:
    """Where weights lie: read alone, so that installing needs no other setting."""
    return Path(os.environ.get("MODELS_DIR", _DEFAULT_MODELS_DIR))


def _entry(name: str) -> ModelEntry:
    try:
        return load_registry(_models_dir()).model(name)
    except ModelError as error:
        raise click.ClickException(str(error)) from error


@click.group()
def models() -> None:
    """Recognition models: what there is, installing weights, checking them."""


@models.command("list")
def list_models() -> None:
    """List the models of the registry and whether their weights are installed."""
    for entry in load_registry(_models_dir()).models.values():
        click.echo(f"{entry.name}: {entry.dimensions} dimensions, {_state(entry)}")
        click.echo(f"  licence: {entry.licence.name}")
        if not entry.commercial_use:
            click.echo("  commercial use: not allowed by the licence")
        if entry.experimental:
            click.echo("  experimental: run `models verify --images` on labelled images first")
        click.echo(f"  threshold: {entry.default_threshold} ({entry.threshold_source})")


def _state(entry: ModelEntry) -> str:
    try:
        for file in (entry.detector.file, entry.weights):
            file.verified_path(_models_dir(), entry.name)
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
    from workers.vision.install_weights import Installation

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
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with one sub-folder of images a person: measures the equal error rate.",
)
@click.option(
    "--max-eer", default=0.02, show_default=True, help="Highest equal error rate to pass."
)
def verify(name: str | None, images: Path | None, max_eer: float) -> None:
    """Check the digests of installed models and let them compute their reference embeddings.

    Ends with status 1 when a model fails, or its equal error rate on --images is above --max-eer.
    """
    names = [name] if name else [e for e in load_registry().models if _installed(e)]
    if not names:
        raise click.ClickException(
            "No model is installed. Run: flask --app wsgi models install SFace"
        )
    for each in names:
        try:
            _verify(each, images, max_eer)
        except ModelError as error:
            raise click.ClickException(str(error)) from error


def _verify(name: str, images: Path | None, max_eer: float) -> None:
    from workers.vision.measure_error import measure_folder
    from workers.vision.pipeline import VisionSettings, build_pipeline

    # Checking is no use of the model: the licence is asked about when a worker starts.
    settings = VisionSettings(model=name, models_dir=_models_dir(), allow_noncommercial=True)
    pipeline = build_pipeline(settings)
    click.echo(f"{pipeline.model}: computes its reference embedding ({pipeline.engine})")
    if images is None:
        return
    report = measure_folder(pipeline, images)
    click.echo(report.text)
    if report.equal_error_rate > max_eer:
        raise ModelError(f"The equal error rate is above {max_eer:.2%}")


def _installed(name: str) -> bool:
    return _state(_entry(name)).startswith("installed")
