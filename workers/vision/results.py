"""What goes into the pipeline and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal

from app.domain.item_errors import ItemError
from workers.vision.arrays import Floats

Rotation = Literal["off", "gated", "full"]


@dataclass(frozen=True)
class PipelineOptions:
    """What a job asks of each of its images.

    `min_face` is the smallest face that is looked for, in pixels of the displayed image (longer
    side of its box). `detection_confidence` counts from 0.3 up. A face below `min_quality` is
    reported without an embedding.
    """

    max_faces: int = 10
    min_quality: float = 0.0
    min_face: int = 24
    detection_confidence: float = 0.7
    rotation: Rotation = "gated"
    liveness: bool = False
    embed: bool = True
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageInput:
    """One image to come. `load` is called in a fetch thread; it may raise ItemError."""

    key: Hashable
    load: Callable[[], bytes]
    options: PipelineOptions


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the image as displayed (after EXIF), inside the image."""

    x: int
    y: int
    width: int
    height: int

    @property
    def area(self) -> int:
        """Pixels inside."""
        return self.width * self.height


@dataclass(frozen=True)
class LivenessResult:
    """What a passive anti-spoofing model says: `score` is 0 (spoof) to 1 (live).

    `live` is what follows from `threshold`; `model` is `name@digest`.
    """

    score: float
    live: bool
    threshold: float
    model: str


@dataclass(frozen=True)
class FaceResult:
    """One face.

    `landmarks` is (5, 2): the eye on the left of the picture, the one on the right, the tip of the
    nose, the left and the right corner of the mouth. `embedding` is (dimensions,), of length 1; a
    face that was judged not live has none.
    """

    face_no: int
    box: Box
    landmarks: Floats
    detection_confidence: float
    quality: float
    embedding: Floats | None
    liveness: LivenessResult | None
    attributes: dict[str, Any] | None = None


@dataclass(frozen=True)
class ImageResult:
    """One image's outcome: faces ordered by area, largest first, or an error.

    `sha256` is of the bytes, "" when they did not come. `width` and `height` are of the image as
    displayed, 0 when there is an `error`. `inference_s` is its share of the seconds that networks
    took for it and the images beside it.
    """

    key: Hashable
    sha256: str
    width: int
    height: int
    faces: tuple[FaceResult, ...]
    error: ItemError | None
    inference_s: float = 0.0
