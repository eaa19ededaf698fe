"""Damaged, odd and hostile images by the thousand: `python -m scripts.bench.malformed --json`.

Each must end as a result or as an item error, in this process, which must neither die nor grow.
Counts the outcomes, the decode helpers that it took, and the peak memory of both.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import click
import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.damage import damaged_images
from scripts.stack.assets import fetch_portraits
from workers.vision.pipeline import ImageInput, PipelineOptions, VisionSettings, build_pipeline

_SIDE = 240  # pixels of the picture that is damaged: it has a face


@click.command(help=__doc__)
@click.option("--images", default=10_000, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--models-dir", default=".facequeue/models", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def main(images: int, seed: int, models_dir: Path, *, as_json: bool) -> None:
    """Run, with a progress bar on stderr, and print; exit 1 when an image has no outcome."""
    report = _run(images, seed, models_dir)
    if as_json:
        click.echo(json.dumps(report))
    else:
        click.echo("\n".join(f"{name}: {value}" for name, value in report.items()))
    sys.exit(report["without_outcome"] != 0)


def _run(images: int, seed: int, models_dir: Path) -> dict[str, object]:
    pipeline = build_pipeline(VisionSettings(models_dir=models_dir))
    outcomes: Counter[str] = Counter()
    helpers: dict[int, int] = {}
    began = time.monotonic()
    with click.progressbar(length=images, label="Recognising", file=sys.stderr) as progress:
        for batch in pipeline.run(_inputs(images, seed)):
            outcomes.update(_outcome(each.error, len(each.faces)) for each in batch)
            helpers |= _children()
            progress.update(len(batch))
    return {
        "images": images,
        "without_outcome": images - outcomes.total(),
        "outcomes": dict(outcomes.most_common()),
        "helpers_used": len(helpers),
        "peak_mb": _peak_kb("self") // 1024,
        "helper_peak_mb": max(helpers.values()) // 1024,
        "seconds": round(time.monotonic() - began, 1),
    }


def _inputs(images: int, seed: int) -> Iterator[ImageInput]:
    portrait = cv2.imread(str(fetch_portraits() / "grace_hopper.jpg"))
    if portrait is None:
        raise click.ClickException("the portraits cannot be read")
    picture = np.asarray(cv2.resize(portrait, (_SIDE, _SIDE)), dtype=np.uint8)
    for number, data in enumerate(damaged_images(picture, images, seed)):
        yield ImageInput(number, partial(bytes, data), PipelineOptions())


def _outcome(error: Exception | None, faces: int) -> str:
    return str(getattr(error, "code", error)) if error else f"{faces} faces"


def _children() -> dict[int, int]:
    """The processes that are this one's children now, with their peak memory in KiB."""
    found = {}
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text(encoding="ascii").split():
            with suppress(OSError, ValueError):  # it ended meanwhile
                found[int(pid)] = _peak_kb(pid)
    return found


def _peak_kb(process: str) -> int:
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])


if __name__ == "__main__":
    main()
