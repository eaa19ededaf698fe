"""What passive liveness costs and says: `python -m scripts.bench.liveness --json`.

Scores the test portraits as they are, and changed: turned, small, cut close to the face, and as
simulated re-photographs of a print and of a screen. Simulations are no attacks: they show that the
model reacts, not how well it does on your cameras; `models verify --live --spoofs` shows that.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scripts.stack.assets import fetch_portraits
from workers.vision.arrays import Pixels
from workers.vision.engines.select import choose_engines
from workers.vision.faces.detect import Detections
from workers.vision.faces.liveness import LivenessModel, load_liveness
from workers.vision.pipeline import (
    ImageInput,
    PipelineOptions,
    RecognitionPipeline,
    VisionSettings,
    build_pipeline,
)

_REPEATS = 200
_STRIPES = 3  # red, green and blue parts of a pixel on a screen


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=os.environ.get("MODELS_DIR"))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    settings = VisionSettings(models_dir=Path(asked.models), liveness="required")
    pictures = {path.name: _read(path) for path in sorted(fetch_portraits().iterdir())}
    report = {
        "ms_per_face": round(_milliseconds(settings, pictures["astronaut.png"]), 2),
        "scores": _scores(build_pipeline(settings), pictures),
    }
    print(json.dumps(report) if asked.json else json.dumps(report, indent=1))


def _milliseconds(settings: VisionSettings, picture: Pixels) -> float:
    """Return the fastest tenth's mean: cutting out and judging one face."""
    model: LivenessModel = load_liveness(settings, choose_engines(settings).detector)
    box = np.array([[178, 63, 90, 112]], dtype=np.float32)
    face = Detections(box, np.zeros((1, 5, 2), np.float32), np.ones(1, np.float32))
    taken = []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        model.assess(model.cut_out(picture, face))
        taken.append(time.perf_counter() - begun)
    return 1000 * float(np.mean(sorted(taken)[: _REPEATS // 10]))


def _scores(
    pipeline: RecognitionPipeline, pictures: Mapping[str, Pixels]
) -> dict[str, dict[str, float | None]]:
    """Return the score of the largest face by change and picture; None where no face was found."""
    scores: dict[str, dict[str, float | None]] = {}
    for change, apply in CHANGES.items():
        inputs = [_input(name, _jpeg(apply(picture))) for name, picture in pictures.items()]
        results = [result for batch in pipeline.run(inputs) for result in batch]
        scores[change] = {str(result.key): _score(result) for result in results}
    return scores


_ASKED = PipelineOptions(max_faces=1, liveness=True, embed=False)


def _input(name: str, data: bytes) -> ImageInput:
    return ImageInput(name, lambda: data, _ASKED)


def _score(result: Any) -> float | None:
    return round(result.faces[0].liveness.score, 3) if result.faces else None


def _read(path: Path) -> Pixels:
    pixels = cv2.imread(str(path))
    if pixels is None:
        raise SystemExit(f"{path} is no image")
    return np.asarray(pixels, dtype=np.uint8)


def _jpeg(pixels: Pixels) -> bytes:
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())


def _scaled(side: int) -> Callable[[Pixels], Pixels]:
    def scale(picture: Pixels) -> Pixels:
        factor = side / max(picture.shape[:2])
        return _bytes(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))

    return scale


def _turned(degrees: float) -> Callable[[Pixels], Pixels]:
    def turn(picture: Pixels) -> Pixels:
        height, width = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 0.7)
        return _bytes(cv2.warpAffine(picture, matrix, (width, height), borderValue=(127, 127, 127)))

    return turn


def _noisy(picture: np.ndarray[Any, Any], blur: float, seed: int) -> Pixels:
    grain = np.random.default_rng(seed).normal(0, 3, picture.shape)
    return _bytes(cv2.GaussianBlur(picture, (0, 0), blur) + grain)


def print_held_up(picture: Pixels) -> Pixels:
    """Show the picture as a paper print: paler, dotted, with a white margin, before a grey wall."""
    picture = _scaled(900)(picture)
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    dots = 8 * np.sin(2 * (rows + columns)) * np.sin(2 * (rows - columns))
    grey = picture.mean(axis=2, keepdims=True)
    ink = 30 + 0.8 * (0.75 * picture + 0.25 * grey) + dots[..., np.newaxis]
    margin = height // 12
    sheet = _surrounded(ink, margin, margin, (225, 225, 225))
    scene = _surrounded(sheet, height // 3, width // 3, (95, 105, 110))
    return _noisy(np.asarray(scene), 1.0, 2)


def _surrounded(
    picture: npt.NDArray[np.float64], above: int, beside: int, colour: tuple[int, int, int]
) -> npt.NDArray[np.float64]:
    height, width = picture.shape[:2]
    around = np.empty((height + 2 * above, width + 2 * beside, 3))
    around[:] = colour
    around[above : above + height, beside : beside + width] = picture
    return around


def screen_photographed(picture: Pixels) -> Pixels:
    """Show the picture on a screen: stripes of colour, a slant, a black frame, a glow."""
    picture = _scaled(900)(picture)
    height, width = picture.shape[:2]
    fine = cv2.resize(picture, (width * _STRIPES, height * _STRIPES)).astype(np.float32)
    mask = np.zeros((_STRIPES, _STRIPES, 3), np.float32)
    for channel in range(3):
        mask[:, 2 - channel, channel] = 2.4
    mask[-1] *= 0.5
    lit = np.tile(mask, (height, width, 1)) * fine
    matrix = cv2.getRotationMatrix2D((lit.shape[1] / 2, lit.shape[0] / 2), 2, 1 / 2.83)
    size = (int(width * 1.3), int(height * 1.3))
    for axis in (0, 1):
        matrix[axis, 2] += (size[axis] - lit.shape[1 - axis]) / 2
    seen = cv2.warpAffine(cv2.GaussianBlur(lit, (0, 0), 1.2), matrix, size)
    return _noisy(0.95 * seen + 14, 0.7, 1)


def _close(picture: Pixels) -> Pixels:
    """Cut away a sixth on each side, so that there is less around the face than the model wants."""
    height, width = picture.shape[:2]
    return picture[: 5 * height // 6, width // 6 : 5 * width // 6]


def _bytes(picture: Any) -> Pixels:
    return np.asarray(np.clip(picture, 0, 255), dtype=np.uint8)


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "as it is": lambda picture: picture,
    "400 px": _scaled(400),
    "200 px": _scaled(200),
    "cut close": _close,
    "turned 20°": _turned(20),
    "turned 45°": _turned(45),
    "turned 90°": _turned(90),
    "mirrored": lambda picture: np.ascontiguousarray(picture[:, ::-1]),
    "half the light": lambda picture: _bytes(picture * 0.5),
    "JPEG 30": lambda p: _bytes(
        cv2.imdecode(cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], 1)
    ),
    "simulated print": print_held_up,
    "simulated screen": screen_photographed,
}

if __name__ == "__main__":
    main()
