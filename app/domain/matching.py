"""The matching decision: from similarities to `match`, `unknown`, `ambiguous` or `no_match`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domain.calibration import Calibration, RateBasis
from app.domain.states import Decision

# Two subjects above the threshold and closer than this cannot be told apart. One pixel of
# misalignment moves SFace's cosine by 0.017; three times that is noise, not identity.
AMBIGUITY_MARGIN = 0.05


@dataclass(frozen=True)
class Neighbour:
    """A gallery face near a probe. `similarity` is the cosine, -1 to 1."""

    face_id: UUID
    subject_id: UUID | None
    similarity: float


class ThresholdRule(StrEnum):
    """Who set the threshold: the collection, by it or by its target, or the model's publisher."""

    THRESHOLD = "threshold"
    TARGET_FPIR = "target_fpir"
    MODEL_DEFAULT = "model_default"


@dataclass(frozen=True)
class ThresholdReason:
    """Why a threshold was applied, as it stands in results.

    Attributes:
        rule: who set it.
        target_fpir: the collection's, where that is the rule.
        faces: how many faces the collection had.
        fmr: the rate at which one stranger reaches the threshold.
        fmr_basis: whether the calibration's data support that rate.
        calibration: its version.
    """

    rule: ThresholdRule
    target_fpir: float | None
    faces: int | None
    fmr: float
    fmr_basis: RateBasis
    calibration: str

    def as_json(self) -> dict[str, Any]:
        """The reason as it is stored and answered."""
        return asdict(self)


@dataclass(frozen=True)
class MatchRule:
    """What makes a match in one gallery at one moment, and why."""

    threshold: float
    calibration: Calibration
    reason: ThresholdReason

    def rate(self, similarity: float) -> tuple[float, RateBasis]:
        """How often strangers are this similar, and whether that was measured."""
        rate = self.calibration.false_match_rate(similarity)
        return rate, self.calibration.basis(rate)

    def decide(self, candidates: Sequence[Neighbour]) -> Decision:
        """Decide about one probe, from its candidates, best first and one a subject."""
        matching = [c for c in candidates if c.similarity >= self.threshold]
        if not matching:
            return Decision.UNKNOWN
        if len(matching) > 1 and matching[0].similarity - matching[1].similarity < AMBIGUITY_MARGIN:
            return Decision.AMBIGUOUS
        return Decision.MATCH

    def decide_pair(self, similarity: float) -> Decision:
        """Decide about a one-to-one comparison."""
        return Decision.MATCH if similarity >= self.threshold else Decision.NO_MATCH


def best_per_subject(neighbours: Iterable[Neighbour], top_k: int) -> list[Neighbour]:
    """The nearest face of each subject, best first; a face without a subject stands for itself.

    Of equals, the one that was enrolled first stands first.
    """
    best: dict[UUID, Neighbour] = {}
    for neighbour in sorted(neighbours, key=lambda n: (-n.similarity, n.face_id)):
        best.setdefault(neighbour.subject_id or neighbour.face_id, neighbour)
    return list(best.values())[:top_k]


def false_match_rate_for_fpir(target_fpir: float, gallery_size: int) -> float:
    """The FMR of one comparison at which a search of N faces names a stranger at `target_fpir`.

    FPIR = 1 - (1 - FMR)^N for independent comparisons (ISO/IEC 19795-1, annex on identification),
    solved for FMR with log1p and expm1 so that small rates keep their digits.
    """
    return -math.expm1(math.log1p(-target_fpir) / max(gallery_size, 1))


def cosine(left: Sequence[float], right: Sequence[float]) -> float:
    """The similarity of two unit vectors of the same dimension, -1 to 1."""
    return max(-1.0, min(1.0, math.fsum(a * b for a, b in zip(left, right, strict=True))))
