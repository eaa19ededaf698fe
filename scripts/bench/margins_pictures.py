"""Labelled photographs for the margins bench, and what may happen to a photograph."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from app.domain.image_header import IMAGE_SUFFIXES
from workers.vision.arrays import Pixels
from workers.vision.faces.detect import Detector
from workers.vision.faces.find_faces import find_faces
from workers.vision.results import PipelineOptions

FACE = 160  # pixels of the unchanged photographs' faces, at most
_ANGLES = (0, 15, 22.5, 30, 45, 60, 67.5, 90, 112.5, 135, 157.5, 180, 270)
_NUMBER = re.compile(r"[_-]?\d+$")
_ALIASES = {"obama_partial_face": "obama"}  # a packaged portrait whose name is not name_N
_GREY = (104, 117, 123)
_SURROUNDINGS = 1.2  # what is kept around a face, in face heights

Change = Callable[[Pixels], Pixels]


@dataclass(frozen=True)
class Portrait:
    """A person's head with its surroundings, BGR; the face is `face` pixels high, at `middle`."""

    person: str
    name: str
    pixels: Pixels
    face: float
    middle: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trial:
    """One column of a table: what is done to the portraits, as one or several probes each."""

    table: str
    label: str
    changes: tuple[Callable[[Portrait], Pixels], ...]


def labelled(folder: Path) -> list[tuple[str, Path]]:
    """Return (person, image) of sub-folders' images, or of images called name_N.jpg.

    Raises:
        click.ClickException: there are not two people, or nobody has two images.
    """
    files = sorted(p for p in folder.glob("*/*") if p.suffix.lower() in IMAGE_SUFFIXES)
    found = [(path.parent.name, path) for path in files]
    if not found:
        files = sorted(p for p in folder.glob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
        found = [(_ALIASES.get(p.stem, _NUMBER.sub("", p.stem)), p) for p in files]
    people = {person for person, _ in found}
    if len(people) < 2 or len(people) == len(found):  # noqa: PLR2004 - a pair
        raise click.ClickException(
            f"{folder} needs images of two people, and two of one of them: a sub-folder a person, "
            f"or files called name_1.jpg; found {len(found)} images of {len(people)} people"
        )
    return found


def read_portrait(detector: Detector, person: str, path: Path) -> Portrait | None:
    """Read the largest face of a picture with its surroundings; None when there is no face."""
    import cv2

    pixels = cv2.imread(str(path))
    if pixels is None:
        raise click.ClickException(f"{path} cannot be read as an image")
    picture = np.asarray(pixels, dtype=np.uint8)
    (faces,) = find_faces(detector, [picture], [PipelineOptions(max_faces=1, rotation="full")])
    if not len(faces):
        return None
    x, y, width, height = faces.boxes[0]
    reach = _SURROUNDINGS * height
    top, left = int(max(0, y - reach)), int(max(0, x - reach))
    head = picture[top : int(y + height + reach), left : int(x + width + reach)]
    scale = min(1.0, FACE / float(height))
    middle = np.array([x + width / 2 - left, y + height / 2 - top], dtype=np.float64) * scale
    return Portrait(person, path.name, scaled(head, scale), float(height) * scale, middle)


def scaled(picture: Pixels, scale: float) -> Pixels:
    """Shrink a picture, averaging."""
    import cv2

    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def turned(picture: Pixels, degrees: float) -> Pixels:
    """Turn a picture clockwise; the canvas grows."""
    import cv2

    height, width = picture.shape[:2]
    side = int(np.hypot(height, width)) + 2
    matrix = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1), np.float64)
    matrix[:, 2] += [side / 2 - width / 2, side / 2 - height / 2]
    return np.asarray(cv2.warpAffine(picture, matrix, (side, side), borderValue=_GREY), np.uint8)


def blurred(picture: Pixels, sigma: float) -> Pixels:
    """Blur by a Gaussian of this many pixels."""
    import cv2

    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), dtype=np.uint8)


def jpeg(picture: Pixels, quality: int) -> Pixels:
    """Store as JPEG and read again."""
    import cv2

    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)


def darkened(picture: Pixels, light: float, noise: float = 0.0) -> Pixels:
    """Take light away, in 8 bits, with the sensor's noise (grey levels) that remains."""
    dark = picture.astype(np.float32) * light
    if noise:
        dark += np.random.default_rng(7).normal(0, noise, picture.shape)
    return np.asarray(np.clip(np.rint(dark), 0, 255), dtype=np.uint8)


def gamma(picture: Pixels, exponent: float) -> Pixels:
    """Darken by a power of brightness: shadows close first."""
    import cv2

    table = np.rint(255 * (np.arange(256) / 255.0) ** exponent)
    return np.asarray(cv2.LUT(picture, table.astype(np.uint8)), dtype=np.uint8)


_POSES: dict[str, Change] = {
    "as it is": lambda p: p,
    "half the size": lambda p: scaled(p, 0.5),
    "35 % of the light": lambda p: darkened(p, 0.35),
    "JPEG 25": lambda p: jpeg(p, 25),
    "blur 2 px": lambda p: blurred(p, 2),
}


def trials() -> list[Trial]:
    """Return everything that is tried, table by table."""
    return [*_rotation(), *_scale(), *_damage()]


def _rotation() -> Iterator[Trial]:
    for angle in _ANGLES:
        changes = tuple(_after(change, turned, angle) for change in _POSES.values())
        yield Trial("rotation", f"{angle:g}°", changes)


def _scale() -> Iterator[Trial]:
    for pixels in (112, 64, 48, 32, 24):
        yield Trial("scale", f"{pixels} px", (_to_face(pixels),))


def _damage() -> Iterator[Trial]:
    for sigma in (1, 2, 3, 4):
        yield Trial("blur", f"{sigma} px", (_plain(blurred, sigma),))
    for light in (1, 0.5, 0.35, 0.2, 0.1, 0.05):
        yield Trial("darkness", f"{100 * light:g} % of the light", (_plain(darkened, light),))
    for light in (0.2, 0.1, 0.05):
        yield Trial(
            "darkness", f"{100 * light:g} % of the light, noisy", (_plain(darkened, light, 2.0),)
        )
    for exponent in (2, 3, 4):
        yield Trial("darkness", f"gamma {exponent}", (_plain(gamma, exponent),))
    for quality in (90, 50, 25, 10):
        yield Trial("JPEG quality", f"{quality}", (_plain(jpeg, quality),))


def _plain(change: Callable[..., Pixels], *arguments: Any) -> Callable[[Portrait], Pixels]:
    return lambda portrait: change(portrait.pixels, *arguments)


def _after(first: Change, second: Callable[..., Pixels], value: float) -> Any:
    return lambda portrait: second(first(portrait.pixels), value)


def _to_face(pixels: int) -> Callable[[Portrait], Pixels]:
    return lambda portrait: scaled(portrait.pixels, min(1.0, pixels / portrait.face))
