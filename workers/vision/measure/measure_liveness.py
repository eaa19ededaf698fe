"""How well a liveness model does on labelled images, in the terms of ISO/IEC 30107-3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.domain.errors import ModelError
from app.domain.image_header import IMAGE_SUFFIXES
from workers.vision.pipeline import RecognitionPipeline
from workers.vision.results import ImageInput, LivenessResult, PipelineOptions


@dataclass(frozen=True)
class LivenessReport:
    """Which live faces were refused (BPCER) and which spoofs passed (APCER), of how many."""

    live: int
    refused: int
    spoofs: int
    passed: int
    without_face: int
    threshold: float

    @property
    def apcer(self) -> float:
        """Share of the spoofs that were taken for live faces."""
        return self.passed / self.spoofs

    @property
    def bpcer(self) -> float:
        """Share of the live faces that were taken for spoofs."""
        return self.refused / self.live

    @property
    def text(self) -> str:
        """The report in one line."""
        return (
            f"at threshold {self.threshold}: APCER {self.apcer:.2%} ({self.passed} of "
            f"{self.spoofs} spoofs pass), BPCER {self.bpcer:.2%} ({self.refused} of {self.live} "
            f"live faces are refused); {self.without_face} images without a face"
        )


def measure_liveness(pipeline: RecognitionPipeline, live: Path, spoofs: Path) -> LivenessReport:
    """Judge the largest face of every image under the two folders.

    Raises:
        ModelError: one of the folders shows no face.
    """
    genuine, missed_live = _judged(pipeline, live)
    attacks, missed_spoofs = _judged(pipeline, spoofs)
    for folder, results in ((live, genuine), (spoofs, attacks)):
        if not results:
            raise ModelError(f"There is no image with a face under {folder}")
    return LivenessReport(
        live=len(genuine),
        refused=sum(not result.live for result in genuine),
        spoofs=len(attacks),
        passed=sum(result.live for result in attacks),
        without_face=missed_live + missed_spoofs,
        threshold=genuine[0].threshold,
    )


def _judged(pipeline: RecognitionPipeline, folder: Path) -> tuple[list[LivenessResult], int]:
    results, missed = [], 0
    for batch in pipeline.run(_inputs(folder)):
        for result in batch:
            if result.faces and (judged := result.faces[0].liveness) is not None:
                results.append(judged)
            else:
                missed += 1
    return results, missed


def _inputs(folder: Path) -> Iterator[ImageInput]:
    options = PipelineOptions(max_faces=1, liveness=True, embed=False)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in IMAGE_SUFFIXES:
            yield ImageInput(path.name, path.read_bytes, options)
