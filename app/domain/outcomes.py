"""What recognition found in one item, in plain values: workers make it, services store it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.domain.item_errors import ItemError


@dataclass(frozen=True)
class FoundFace:
    """A detection. `box` is x, y, width, height in displayed pixels; `landmarks` ten coordinates.

    `embedding` is L2-normalised, of the model's dimension; None when none was asked for, and for a
    face that was judged not live. `liveness` is score, threshold, live and model; None if unasked.
    """

    face_no: int
    box: tuple[int, int, int, int]
    landmarks: tuple[float, ...]
    detection_confidence: float
    quality: float
    embedding: tuple[float, ...] | None
    liveness: dict[str, Any] | None = None
    attributes: dict[str, Any] | None = None

    @property
    def judged_not_live(self) -> bool:
        """Whether liveness was asked for and the face did not pass."""
        return self.liveness is not None and not self.liveness["live"]


@dataclass(frozen=True)
class FoundImage:
    """What was seen in one image: its digest, its displayed size, its faces, largest first."""

    sha256: bytes
    width: int
    height: int
    faces: tuple[FoundFace, ...] = ()


@dataclass(frozen=True)
class Provenance:
    """By what results are made, beside their model: the engine with its precision, the pipeline."""

    engine: str
    pipeline: str


@dataclass(frozen=True)
class ItemOutcome:
    """The end of one item: an image and perhaps its reference, or the error that ended it.

    `inference_s` is the share of both in the seconds that networks took.
    """

    seq: int
    image: FoundImage | None = None
    reference: FoundImage | None = None
    error: ItemError | None = field(default=None, compare=False)
    inference_s: float = field(default=0.0, compare=False)
