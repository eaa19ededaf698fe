"""How fast a worker recognises. `python scripts/bench/pipeline.py --help`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, cast

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.recognising.measure import Wanted, measure
from scripts.bench.recognising.memory import measure_memory
from scripts.bench.recognising.processes import ProcessEnded
from scripts.bench.recognising.scaling import NotEnoughCores, measure_scaling
from scripts.stack.failures import StackError
from workers.vision.results import Rotation

_ROTATIONS: tuple[Rotation, ...] = ("off", "gated", "full")
_HELP = """Measure recognition on one core, interleaved in one run on the same pictures (0.3, 1 and
8 megapixels, with none to eight faces):

\b
bare      the stage functions in a loop, bytes in memory
stream    the pipeline: threads, decode helper, batches; bytes in memory
whole     the worker's task: lease, fetch from S3, recognise, store in Postgres
DeepFace  DeepFace.represent, once a picture, same weights, at one thread and as installed

The whole path runs on a stack of its own in a temporary folder, whose servers are on another core
than the worker. `pipeline_ips` and `ratio` are of the whole path (of the stream with --no-whole).
Prints one JSON object; progress goes to stderr.
"""


@click.command(help=_HELP)
@click.option("--images", default=256, show_default=True, help="Pictures in all.")
@click.option("--shard", default=256, show_default=True, help="Pictures in a job, and in a round.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "onnxruntime", "openvino"]),
    default="auto",
    show_default=True,
    help="What runs the networks, as FACE_ENGINE says it.",
)
@click.option(
    "--rotation",
    type=click.Choice([*_ROTATIONS, "all"]),
    default="off",
    show_default=True,
    help="Search for turned heads. all: every one, DeepFace beside the first only.",
)
@click.option(
    "--device",
    type=click.Choice(["cpu", "cuda", "tensorrt"]),
    default="cpu",
    show_default=True,
    help="Where ONNX Runtime computes, as FACE_DEVICE says it.",
)
@click.option("--small", is_flag=True, help="Only pictures below 0.5 megapixels.")
@click.option("--whole/--no-whole", default=True, help="With S3 and Postgres.", show_default=True)
@click.option("--deepface/--no-deepface", default=True, help="With DeepFace.", show_default=True)
@click.option(
    "--children",
    type=click.IntRange(min=1),
    help="Instead: how the rate of this many pipelines, one a core and without servers, compares"
    " with that of one alone.",
)
@click.option(
    "--memory",
    type=click.IntRange(min=100),
    help="Instead: the memory of one pipeline over this many pictures, --images of them repeated.",
)
@click.option("--core", default=0, show_default=True, help="The core that is measured.")
@click.option("--portraits", default=".facequeue/portraits", type=click.Path(path_type=Path))
@click.option("--models-dir", default=".facequeue/models", type=click.Path(path_type=Path))
@click.option("--json", "compact", is_flag=True, help="Print it on one line.")
def main(
    *,
    children: int | None,
    memory: int | None,
    rotation: str,
    core: int,
    portraits: Path,
    models_dir: Path,
    compact: bool,
    **options: Any,
) -> None:
    """Measure and print."""
    _require(portraits / "obama.jpg", "the portraits; run ./scripts/quickstart.sh --once")
    _require(models_dir / "sface_2021dec_fp32.onnx", "weights; run flask models install SFace")
    if core not in os.sched_getaffinity(0):
        raise click.BadParameter(f"this process may not run on core {core}", param_hint="--core")
    rotations = _ROTATIONS if rotation == "all" else (cast("Rotation", rotation),)
    wanted = Wanted(
        rotations=rotations, core=core, portraits=portraits, models_dir=models_dir, **options
    )
    try:
        if children is not None:
            report = measure_scaling(wanted, children, _say)
        elif memory is not None:
            report = measure_memory(wanted, memory, _say)
        else:
            report = measure(wanted, _say)
    except (ProcessEnded, NotEnoughCores, StackError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(report, indent=None if compact else 2))


def _require(path: Path, what: str) -> None:
    if not path.exists():
        raise click.ClickException(f"{path} is missing: it is part of {what}")


def _say(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
