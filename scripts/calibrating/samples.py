"""Labelled faces to calibrate by: a folder of photographs, or comparisons in a table."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.domain.image_header import IMAGE_SUFFIXES
from scripts.bench.margins_pictures import (
    Portrait,
    blurred,
    darkened,
    gamma,
    jpeg,
    read_portrait,
    scaled,
    turned,
)
from scripts.calibrating.comparisons import Comparisons, Pictures, compared_already
from workers.vision.arrays import Pixels
from workers.vision.load_model import LoadedModel
from workers.vision.pipeline import RecognitionPipeline
from workers.vision.results import ImageInput, PipelineOptions

AS_THEY_ARE = "as they are"
# What happens to pictures on their way to us; faces are at most 160 px high. Noise: 2 levels.
KINDS: Mapping[str, Callable[[Pixels], Pixels]] = {
    "35 % of the light, noisy": lambda p: darkened(p, 0.35, 2.0),
    "10 % of the light, noisy": lambda p: darkened(p, 0.1, 2.0),
    "gamma 3": lambda p: gamma(p, 3),
    "blur 2 px": lambda p: blurred(p, 2),
    "JPEG quality 15": lambda p: jpeg(p, 15),
    "0.4 of the size": lambda p: scaled(p, 0.4),
    "turned 30°": lambda p: turned(p, 30),
}


class SampleError(Exception):
    """What was given cannot be read as labelled faces."""


@dataclass(frozen=True)
class Photograph:
    """A file of a folder, and whom it shows."""

    person: str
    path: Path


@dataclass(frozen=True)
class Embedded:
    """The faces of photographs, of so many people, by kind; `missed`: without a usable face."""

    kinds: dict[str, Pictures]
    people: int
    missed: dict[str, int]


def photographs(folder: Path) -> list[Photograph]:
    """Find the images of a folder whose sub-folders are people; raises SampleError."""
    files = sorted(path for path in folder.glob("*/*") if path.suffix.lower() in IMAGE_SUFFIXES)
    if len({path.parent for path in files}) < 2:  # noqa: PLR2004 - a pair
        raise SampleError(f"{folder} has no two sub-folders with images; a sub-folder is a person")
    return [Photograph(path.parent.name, path) for path in files]


def embed_photographs(
    pipeline: RecognitionPipeline,
    found: Sequence[Photograph],
    changed_by: LoadedModel | None,
    done: Callable[[int], None],
) -> Embedded:
    """Embed the largest face of each photograph, and with `changed_by` of copies made worse."""
    names = sorted({photograph.person for photograph in found})
    numbers = {name: number for number, name in enumerate(names)}
    who = np.array([numbers[photograph.person] for photograph in found], np.int32)
    sources: dict[str, Callable[[], Iterator[ImageInput]]] = {
        AS_THEY_ARE: lambda: (
            ImageInput(place, each.path.read_bytes, PipelineOptions(max_faces=1))
            for place, each in enumerate(found)
        )
    }
    if changed_by is not None:
        portraits = _portraits(changed_by, found)
        for kind, change in KINDS.items():
            sources[kind] = lambda change=change: _changed(portraits, change)  # type: ignore[misc]
    kinds: dict[str, Pictures] = {}
    for kind, source in sources.items():
        kinds[kind] = _embed(pipeline, source(), who, done)
    missed = {kind: len(found) - len(pictures.who) for kind, pictures in kinds.items()}
    return Embedded(kinds, len(names), missed)


def _portraits(model: LoadedModel, found: Sequence[Photograph]) -> dict[int, Portrait]:
    read = (
        (place, read_portrait(model.detector, photograph.person, photograph.path))
        for place, photograph in enumerate(found)
    )
    return {place: portrait for place, portrait in read if portrait is not None}


def _changed(
    portraits: Mapping[int, Portrait], change: Callable[[Pixels], Pixels]
) -> Iterator[ImageInput]:
    import cv2

    for place, portrait in portraits.items():
        content = cv2.imencode(".png", change(portrait.pixels))[1].tobytes()
        yield ImageInput(place, lambda content=content: content, PipelineOptions(max_faces=1))  # type: ignore[misc]


def _embed(
    pipeline: RecognitionPipeline,
    inputs: Iterator[ImageInput],
    who: np.ndarray[tuple[int], np.dtype[np.int32]],
    done: Callable[[int], None],
) -> Pictures:
    vectors, places = [], []
    for batch in pipeline.run(inputs):
        for result in batch:
            if result.faces and result.faces[0].embedding is not None:
                vectors.append(result.faces[0].embedding)
                places.append(result.key)
        done(len(batch))
    if not vectors:
        raise SampleError("No face was found in any of the images")
    kept = np.array(places, np.int32)
    return Pictures(np.stack(vectors), who[kept], kept)


def read_comparisons(path: Path) -> Comparisons:
    """Read a table with the columns `left,right,similarity`, and `same` where not left = right.

    `left` and `right` name who is shown; `same` (1 or 0) is what a reviewer decided.

    Raises:
        SampleError: a column is missing or a value wrong; the message names the line.
    """
    left, right, similarity, same = [], [], [], []
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = {"left", "right", "similarity"} - set(reader.fieldnames or ())
        if missing:
            raise SampleError(f"{path} lacks the columns {', '.join(sorted(missing))}")
        for line, row in enumerate(reader, start=2):
            try:
                similarity.append(_cosine(row["similarity"]))
                same.append(_judged(row))
            except (TypeError, ValueError) as error:
                raise SampleError(f"{path}, line {line}: {error}") from error
            left.append(row["left"])
            right.append(row["right"])
    if not left:
        raise SampleError(f"{path} holds no comparison")
    return compared_already(np.array(similarity), left, right, np.array(same, np.bool_))


def _cosine(text: str) -> float:
    value = float(text)
    if not -1 <= value <= 1:
        raise ValueError(f"a similarity lies between -1 and 1, not at {text}")
    return value


def _judged(row: Mapping[str, str]) -> bool:
    said = row.get("same") or ""
    if said not in {"", "0", "1"}:
        raise ValueError(f"`same` is 1, 0 or empty, not {said!r}")
    return row["left"] == row["right"] if said == "" else said == "1"
