"""The mixed pictures of the pipeline bench: small, medium and large, with none to eight faces."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

_HEADS = ("astronaut.png", "grace_hopper.jpg", "obama.jpg", "obama2.jpg", "biden.jpg")
# Width, height, faces: one round of the mix, about 0.3, 1 and 8 megapixels.
_MIX = (
    (640, 480, 1),
    (1200, 900, 2),
    (640, 480, 1),
    (1200, 900, 0),
    (640, 480, 2),
    (3264, 2448, 8),
    (640, 480, 0),
    (1200, 900, 4),
)


@dataclass(frozen=True)
class Picture:
    """A JPEG, the faces in it, and the smallest face a detector at 640 px can see in it."""

    data: bytes
    faces: int
    min_face: int


def mixed_pictures(portraits: Path, count: int, *, largest: int = 10**9) -> Iterator[Picture]:
    """Draw `count` different pictures of at most `largest` pixels, the same on every machine."""
    random = np.random.default_rng(1)
    mix = [each for each in _MIX if each[0] * each[1] <= largest]
    heads = [_head(portraits / name) for name in _HEADS]
    return (_draw(heads, random, *each) for each in islice(cycle(mix), count))


def _head(path: Path) -> npt.NDArray[np.uint8]:
    """Read a portrait, cut to its upper part, where the head is, and shrink it to 600 px."""
    import cv2

    picture = cv2.imread(str(path))
    if picture is None:
        raise FileNotFoundError(path)
    square = picture[: picture.shape[1], :]
    scale = 600 / max(square.shape)
    return np.asarray(cv2.resize(square, None, fx=scale, fy=scale), dtype=np.uint8)


def _draw(
    heads: list[npt.NDArray[np.uint8]],
    random: np.random.Generator,
    width: int,
    height: int,
    faces: int,
) -> Picture:
    """Paste heads in a grid of 4 x 2 cells over a smooth background with some noise."""
    import cv2

    coarse = random.integers(40, 200, (9, 12, 3), dtype=np.uint8)
    canvas = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    cells = random.permutation(8)[:faces]
    for cell in cells:
        head = heads[int(random.integers(len(heads)))]
        side = int(min(width / 4, height / 2) * random.uniform(0.8, 1.0))
        left, top = int(cell % 4 * width / 4), int(cell // 4 * height / 2)
        small = cv2.resize(head, (side, side * head.shape[0] // head.shape[1]))[: height // 2]
        canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    data = cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
    return Picture(data, faces, max(24, max(width, height) // 40))


def save_pictures(pictures: Iterable[Picture], folder: Path) -> int:
    """Write pictures as `000000.jpg` and so on, with what is known of them beside; how many."""
    facts = []
    for number, picture in enumerate(pictures):
        (folder / f"{number:06}.jpg").write_bytes(picture.data)
        facts.append([picture.faces, picture.min_face])
    (folder / "pictures.json").write_text(json.dumps(facts), encoding="ascii")
    return len(facts)


def load_pictures(folder: Path, first: int, count: int) -> list[Picture]:
    """Read back pictures that `save_pictures` wrote."""
    facts = json.loads((folder / "pictures.json").read_text(encoding="ascii"))
    return [
        Picture((folder / f"{number:06}.jpg").read_bytes(), *facts[number])
        for number in range(first, first + count)
    ]
