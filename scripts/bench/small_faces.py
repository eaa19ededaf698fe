"""What `min_face` costs and finds in a large picture: `python -m scripts.bench.small_faces --json`.

Pastes the public-domain portraits, at one size a picture, into pictures of 3264 x 2448 pixels, and
looks for them with each `min_face`: time of detection a picture, and the share of the faces found.
Faces smaller than `min_face` are left out of the results by contract.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.bench.margins_pictures import Portrait, labelled, read_portrait, scaled
from scripts.stack.assets import fetch_portraits
from workers.vision.arrays import Pixels
from workers.vision.faces.detect import Detector
from workers.vision.faces.find_faces import find_faces
from workers.vision.load_model import load_model
from workers.vision.results import PipelineOptions
from workers.vision.settings import VisionSettings

_WIDTH, _HEIGHT = 3264, 2448
_MIN_FACES = (24, 40, 80, 160)
_SIZES = (28, 36, 48, 64, 96, 150)  # face heights
_PASTED = 15  # faces a picture, in a grid of 5 x 3
_COLUMNS = 5
_NEAR = 0.5  # of the face's height: a detection whose middle lies closer is of this face


@dataclass(frozen=True)
class Cost:
    """One `min_face`: detection time a picture, and the share of faces found by their height."""

    min_face: int
    milliseconds: float
    found: dict[int, float]
    false: int


@dataclass(frozen=True)
class Scene:
    """A picture and the middles of its faces, which are `size` pixels high."""

    pixels: Pixels
    size: int
    middles: npt.NDArray[np.float64]


@click.command(help=__doc__)
@click.option("--rotation", type=click.Choice(["off", "gated", "full"]), default="off")
@click.option("--rounds", default=2, show_default=True, help="Pictures a face size.")
@click.option("--models-dir", default=".facequeue/models", type=click.Path(path_type=Path))
@click.option("--core", default=0, show_default=True, help="The core that it runs on.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def main(rotation: str, rounds: int, models_dir: Path, core: int, *, as_json: bool) -> None:
    """Measure, with a progress bar on stderr, and print."""
    os.sched_setaffinity(0, {core})
    detector = load_model(VisionSettings(models_dir=models_dir, decode_helpers=0)).detector
    read = [read_portrait(detector, *each) for each in labelled(fetch_portraits())]
    heads = [head for head in read if head is not None]
    random = np.random.default_rng(5)
    scenes = [_scene(heads, size, random) for size in _SIZES for _ in range(rounds)]
    costs = []
    with click.progressbar(_MIN_FACES, label="Measuring", file=sys.stderr) as progress:
        for min_face in progress:
            options = PipelineOptions(max_faces=100, min_face=min_face, rotation=rotation)  # type: ignore[arg-type] # click has checked it
            costs.append(_cost(detector, scenes, options))
    if as_json:
        click.echo(json.dumps({"rotation": rotation, "costs": [asdict(cost) for cost in costs]}))
    else:
        click.echo("\n".join(_table(costs)))


def _scene(heads: Sequence[Portrait], size: int, random: np.random.Generator) -> Scene:
    """Paste heads into the cells of a grid over a smooth background."""
    import cv2

    coarse = random.integers(40, 200, (9, 12, 3), dtype=np.uint8)
    canvas = cv2.resize(coarse, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    middles = []
    for cell in range(_PASTED):
        head = heads[int(random.integers(len(heads)))]
        small = scaled(head.pixels, size / head.face)
        left = cell % _COLUMNS * (_WIDTH // _COLUMNS) + int(random.integers(40))
        top = cell // _COLUMNS * (_HEIGHT // (_PASTED // _COLUMNS)) + int(random.integers(40))
        canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
        middles.append(np.array([left, top]) + head.middle * (size / head.face))
    return Scene(np.asarray(canvas, dtype=np.uint8), size, np.stack(middles))


def _cost(detector: Detector, scenes: Sequence[Scene], options: PipelineOptions) -> Cost:
    found: dict[int, list[bool]] = {size: [] for size in _SIZES}
    spent, false = 0.0, 0
    for scene in scenes:
        begin = time.process_time()
        (faces,) = find_faces(detector, [scene.pixels], [options])
        spent += time.process_time() - begin
        seen = faces.boxes[:, :2] + faces.boxes[:, 2:] / 2
        apart = np.abs(scene.middles[:, np.newaxis] - seen).max(axis=2) / scene.size
        found[scene.size] += list((apart < _NEAR).any(axis=1))
        false += int((apart >= _NEAR).all(axis=0).sum())
    shares = {size: round(float(np.mean(hits)), 3) for size, hits in found.items()}
    return Cost(options.min_face, round(1000 * spent / len(scenes), 1), shares, false)


def _table(costs: Sequence[Cost]) -> list[str]:
    head = "".join(f" {size} px |" for size in _SIZES)
    rows = [
        f"| {cost.min_face} | {cost.milliseconds:.0f} |"
        + "".join(f" {share:.2f} |" for share in cost.found.values())
        for cost in costs
    ]
    return [f"| `min_face` | ms |{head}", "|---" * (len(_SIZES) + 2) + "|", *rows]


if __name__ == "__main__":
    main()
