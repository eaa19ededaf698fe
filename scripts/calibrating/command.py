"""The command line of the calibration."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import click

from app.domain.errors import FaceQueueError
from scripts.calibrating.comparisons import pooled
from scripts.calibrating.document import Measured, document
from scripts.calibrating.fit import ROUNDS, TooFewError, fit
from scripts.calibrating.measure import Labelled, from_collection, from_folder, from_table
from scripts.calibrating.picture import NoMatplotlibError, draw
from scripts.calibrating.reading import HALVINGS, read_halves
from scripts.calibrating.report import report
from scripts.calibrating.samples import SampleError

WRONG_USAGE, TOO_FEW, INTERRUPTED = 2, 3, 130
HELP = """Make a calibration of a model from labelled faces.

\b
SOURCE is one of
  FOLDER       photographs; a sub-folder is a person
  PAIRS.csv    comparisons that were judged, with the columns left,right,similarity[,same]:
               who is shown on either side, the cosine, and 1 or 0 where left = right is not
               what was decided
or nothing, with --collection and --tenant: the faces of a collection.

Writes OUT/calibration.json, OUT/report.md and OUT/calibration.png. Install the first with
`flask --app wsgi calibrations install`.

The people should be like yours: other strangers look alike at other rates. Twenty-one people are
the least; ten thousand pairs of people (142 of them) state rates down to 0.001.

\b
Exit codes: 0 done, 1 the model or the database cannot be used, 2 wrong usage or a source that
cannot be read, 3 too few people, 130 after Ctrl-C.
"""


@click.command(help=HELP)
@click.argument("source", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--collection", type=click.UUID, metavar="ID", help="Its faces instead of SOURCE.")
@click.option("--tenant", type=click.UUID, metavar="ID", help="Whose collection that is.")
@click.option("--model", default="SFace", show_default=True, help="For PAIRS.csv, name@digest.")
@click.option("--models-dir", default=".facequeue/models", type=click.Path(path_type=Path))
@click.option(
    "--kinds", is_flag=True, help="Compare the photographs with copies made worse as well (FOLDER)."
)
@click.option("--said", metavar="TEXT", help="What the source is, for the file and the report.")
@click.option("--out", default="calibration", show_default=True, type=click.Path(path_type=Path))
@click.option("--svg", is_flag=True, help="Draw an SVG instead of a PNG.")
def calibrate(  # noqa: PLR0913 - one parameter an option
    source: Path | None,
    collection: UUID | None,
    tenant: UUID | None,
    model: str,
    models_dir: Path,
    said: str | None,
    out: Path,
    *,
    kinds: bool,
    svg: bool,
) -> None:
    """Compare, fit, read, write; progress goes to stderr."""
    if (source is None) == (collection is None) or (collection is None) != (tenant is None):
        raise click.UsageError("Give a FOLDER, a table, or --collection with --tenant")
    if kinds and (source is None or not source.is_dir()):
        raise click.UsageError("--kinds needs photographs: give a FOLDER")
    with _errors():
        if collection is not None and tenant is not None:
            labelled = from_collection(tenant, collection)
        elif source is not None and source.is_dir():
            labelled = from_folder(source, model, models_dir, kinds=kinds)
        elif source is not None:
            labelled = from_table(source, model)
        measured = _measured(labelled, said)
        _write(measured, out, "calibration.svg" if svg else "calibration.png")


def _measured(labelled: Labelled, said: str | None) -> Measured:
    together = pooled(list(labelled.kinds.values()))
    with click.progressbar(length=ROUNDS, label="Drawing people", file=sys.stderr) as bar:
        fitted = fit(together, done=bar.update)
    halvings = HALVINGS * len(labelled.kinds)
    with click.progressbar(length=halvings, label="Reading halves", file=sys.stderr) as bar:
        readings = read_halves(labelled.kinds, done=bar.update)
    return Measured(
        labelled.model,
        said or labelled.source,
        labelled.kinds,
        together,
        fitted,
        readings,
        labelled.faces,
        labelled.missed,
    )


def _write(measured: Measured, out: Path, picture_name: str) -> None:
    content = document(measured, dt.datetime.now(dt.UTC))
    out.mkdir(parents=True, exist_ok=True)
    (out / "calibration.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    drawn: str | None = picture_name
    try:
        draw(measured.together, content, out / picture_name)
    except NoMatplotlibError as error:
        click.echo(f"No picture is drawn: {error}", err=True)
        drawn = None
    (out / "report.md").write_text(report(content, drawn), encoding="utf-8")
    impostor = content["impostor"]
    click.echo(
        f"{out}/calibration.json: {content['version']}, of {impostor['people']} people and "
        f"{impostor['pairs']} comparisons of strangers, "
        f"measured down to {impostor['measured_to']:g}"
    )


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except TooFewError as error:
        _end(TOO_FEW, error)
    except SampleError as error:
        _end(WRONG_USAGE, error)
    except FaceQueueError as error:
        _end(1, error)
    except OSError as error:
        _end(1, error)
    except KeyboardInterrupt:
        _end(INTERRUPTED, "interrupted")


def _end(code: int, reason: object) -> None:
    click.echo(f"error: {reason}", err=True)
    sys.exit(code)
