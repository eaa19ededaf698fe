"""Passive anti-spoofing: whether a face is a person or a picture of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.domain.errors import LivenessUnavailable
from workers.vision.arrays import Pixels
from workers.vision.detect import Detections
from workers.vision.results import LivenessResult


class LivenessModel(Protocol):
    """Scores the faces of one picture."""

    def assess(self, picture: Pixels, faces: Detections) -> Sequence[LivenessResult]:
        """Return one result a face; may raise LivenessUnavailable."""


class NoLivenessModel:
    """Stands where no model is installed. Asking is an error: silence would read as a pass."""

    def assess(self, picture: Pixels, faces: Detections) -> Sequence[LivenessResult]:
        """Raise LivenessUnavailable, always."""
        del picture, faces
        raise LivenessUnavailable(
            "A liveness check was asked for, but this installation has no liveness model"
        )
