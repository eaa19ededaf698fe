"""How well a model tells people apart on labelled images: the equal error rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.domain.errors import ModelError
from app.domain.image_header import IMAGE_SUFFIXES
from workers.vision.arrays import Floats
from workers.vision.pipeline import RecognitionPipeline
from workers.vision.results import ImageInput, PipelineOptions


@dataclass(frozen=True)
class ErrorReport:
    """Equal error rate, the similarity at which it is reached, and what it was measured on."""

    equal_error_rate: float
    threshold: float
    people: int
    faces: int
    without_face: int

    @property
    def text(self) -> str:
        """The report in one line."""
        return (
            f"equal error rate {self.equal_error_rate:.2%} at similarity {self.threshold:.3f}, "
            f"on {self.faces} faces of {self.people} people "
            f"({self.without_face} images without a usable face)"
        )


def measure_folder(pipeline: RecognitionPipeline, folder: Path) -> ErrorReport:
    """Embed the largest face of each image under `folder`, whose sub-folders are people; compare.

    Raises:
        ModelError: there are not two people, or nobody with two faces.
    """
    labels: list[str] = []
    vectors: list[Floats] = []
    missed = 0
    for batch in pipeline.run(_inputs(folder)):
        for result in batch:
            if result.faces and result.faces[0].embedding is not None:
                labels.append(str(result.key))
                vectors.append(result.faces[0].embedding)
            else:
                missed += 1
    rate, threshold = _measured(vectors, labels)
    return ErrorReport(rate, threshold, len(set(labels)), len(labels), missed)


def _inputs(folder: Path) -> Iterator[ImageInput]:
    options = PipelineOptions(max_faces=1)
    for path in sorted(folder.glob("*/*")):
        if path.suffix.lower() in IMAGE_SUFFIXES:
            yield ImageInput(path.parent.name, path.read_bytes, options)


def _measured(vectors: list[Floats], labels: list[str]) -> tuple[float, float]:
    if len(set(labels)) < 2 or len(set(labels)) == len(labels):  # noqa: PLR2004 - a pair
        raise ModelError("At least two people are needed, and two faces of one of them")
    rows, columns = np.triu_indices(len(labels), k=1)
    matrix = np.stack(vectors) @ np.stack(vectors).T
    names = np.array(labels)
    return equal_error_rate(matrix[rows, columns], names[rows] == names[columns])


def equal_error_rate(
    similarities: Floats, same: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> tuple[float, float]:
    """Return the rate at which false matches and false non-matches are equal, and its threshold.

    Between two samples the rates cannot be read, so the mean of the two closest is returned.
    """
    order = np.argsort(similarities, kind="stable")
    genuine = same[order]
    # Threshold just above sample i: the genuine at or below are missed, the others above match.
    missed = np.concatenate([[0], np.cumsum(genuine)]) / max(int(genuine.sum()), 1)
    impostors = np.concatenate([[0], np.cumsum(~genuine)])
    matched = 1 - impostors / max(int((~genuine).sum()), 1)
    best = int(np.argmin(np.abs(missed - matched)))
    ordered = similarities[order]
    edges = np.concatenate(
        [[ordered[0] - 1e-6], (ordered[:-1] + ordered[1:]) / 2, [ordered[-1] + 1e-6]]
    )
    return float((missed[best] + matched[best]) / 2), float(edges[best])
