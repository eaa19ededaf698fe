"""How far people stay apart when photographs get worse: `python -m scripts.bench.margins --json`.

FOLDER holds labelled images: a sub-folder a person, or files called name_1.jpg, name_2.jpg. Without
FOLDER the public-domain portraits are used, which are fetched if they are not there.

The gallery is every photograph as it is, its face at most 160 px high; a probe is a changed one. A
probe is compared with all photographs of its own person, the one it was made from included (mated),
and with all of others (impostors). A face that is not found counts as a false non-match.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.margins_pictures import Portrait, Trial, labelled, read_portrait, trials
from scripts.bench.margins_ways import Way, ways
from scripts.stack.assets import fetch_portraits
from scripts.stack.failures import StackError
from workers.vision.arrays import Floats
from workers.vision.load_model import LoadedModel, load_model
from workers.vision.measure.measure_error import equal_error_rate
from workers.vision.settings import VisionSettings

_NOT_FOUND = -1.0  # the similarity of a mated pair whose probe has no face: lower than any

Gallery = list[tuple[str, Floats]]


@dataclass(frozen=True)
class Margin:
    """How one way copes with one change. Means, minima and maxima are of the faces found."""

    table: str
    change: str
    way: str
    probes: int
    found: int
    mated_mean: float | None
    mated_min: float | None
    impostor_max: float | None
    margin: float | None
    eer: float


@click.command(help=__doc__)
@click.argument(
    "folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--only", multiple=True, metavar="TABLE", help="Such as rotation or darkness.")
@click.option("--models-dir", default=".facequeue/models", type=click.Path(path_type=Path))
@click.option("--model", default="SFace", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables.")
def main(
    folder: Path | None, only: tuple[str, ...], models_dir: Path, model: str, *, as_json: bool
) -> None:
    """Measure, with a progress bar on stderr, and print."""
    chosen = [trial for trial in trials() if not only or trial.table in only]
    if not chosen:
        tables = ", ".join(dict.fromkeys(trial.table for trial in trials()))
        raise click.BadParameter(f"there are {tables}", param_hint="--only")
    loaded = load_model(VisionSettings(model=model, models_dir=models_dir, decode_helpers=0))
    portraits = _portraits(loaded, folder or _fetched())
    with ways(loaded, models_dir) as compared:
        margins = _measured(portraits, chosen, compared)
    if as_json:
        people = len({portrait.person for portrait in portraits})
        counts = {"model": loaded.entry.identity, "people": people, "photographs": len(portraits)}
        click.echo(json.dumps({**counts, "margins": [asdict(margin) for margin in margins]}))
    else:
        click.echo("\n\n".join(_tables(margins)))


def _fetched() -> Path:
    try:
        return fetch_portraits()
    except StackError as error:
        raise click.ClickException(str(error)) from error


def _portraits(loaded: LoadedModel, folder: Path) -> list[Portrait]:
    found = []
    for person, path in labelled(folder):
        portrait = read_portrait(loaded.detector, person, path)
        if portrait is None:
            click.echo(f"{path} has no face and is left out", err=True)
        else:
            found.append(portrait)
    return found


def _measured(
    portraits: Sequence[Portrait], chosen: Sequence[Trial], compared: dict[str, Way]
) -> list[Margin]:
    work = [(trial, name, way) for trial in chosen for name, way in compared.items()]
    galleries = {name: _gallery(portraits, way) for name, way in compared.items()}
    with click.progressbar(work, label="Measuring", file=sys.stderr) as progress:
        return [
            _margin(trial, name, _probes(portraits, trial, way), galleries[name])
            for trial, name, way in progress
        ]


def _gallery(portraits: Iterable[Portrait], way: Way) -> Gallery:
    embedded = ((portrait.person, way(portrait.pixels)) for portrait in portraits)
    return [(person, vector) for person, vector in embedded if vector is not None]


def _probes(
    portraits: Iterable[Portrait], trial: Trial, way: Way
) -> list[tuple[str, Floats | None]]:
    return [(each.person, way(change(each))) for each in portraits for change in trial.changes]


def _margin(
    trial: Trial, way: str, probes: list[tuple[str, Floats | None]], gallery: Gallery
) -> Margin:
    mated: list[float] = []
    impostor: list[float] = []
    lost = 0
    for person, vector in probes:
        for other, enrolled in gallery:
            if vector is not None:
                (mated if other == person else impostor).append(float(vector @ enrolled))
            elif other == person:
                lost += 1
    values = np.array(mated + [_NOT_FOUND] * lost + impostor, dtype=np.float32)
    same = np.arange(len(values)) < len(mated) + lost
    known = bool(mated and impostor)
    return Margin(
        trial.table,
        trial.label,
        way,
        len(probes),
        sum(vector is not None for _, vector in probes),
        round(float(np.mean(mated)), 3) if mated else None,
        round(min(mated), 3) if mated else None,
        round(max(impostor), 3) if impostor else None,
        round(min(mated) - max(impostor), 3) if known else None,
        round(equal_error_rate(values, same)[0], 4) if impostor else 1.0,
    )


def _tables(margins: Sequence[Margin]) -> Iterable[str]:
    """Write one Markdown table a kind of change: a row a change, a column a way."""
    names = list(dict.fromkeys(margin.way for margin in margins))
    for table in dict.fromkeys(margin.table for margin in margins):
        rows = [margin for margin in margins if margin.table == table]
        lines = [f"| {table} | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
        for change in dict.fromkeys(row.change for row in rows):
            cells = [_cell(row) for row in rows if row.change == change]
            lines.append(f"| {change} | " + " | ".join(cells) + " |")
        yield "\n".join(lines)


def _cell(margin: Margin) -> str:
    """Write mated mean, mated minimum, impostor maximum, margin; equal error rate; faces lost."""
    numbers = (margin.mated_mean, margin.mated_min, margin.impostor_max, margin.margin)
    shown = " ".join("none" if n is None else f"{n:.2f}".replace("0.", ".") for n in numbers)
    lost = margin.probes - margin.found
    return f"{shown}; {margin.eer:.3f}" + (f"; {lost} lost" if lost else "")


if __name__ == "__main__":
    main()
