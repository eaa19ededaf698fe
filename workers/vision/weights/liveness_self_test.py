"""Proves at start that a liveness model computes what it computed when it was registered."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np

from app.domain.errors import ModelSelfTestFailed
from app.domain.model_registry import LivenessEntry
from workers.vision.arrays import Floats, Pixels
from workers.vision.weights.self_test import REFERENCE_FILE, pattern

Assess = Callable[[Sequence[tuple[Pixels, ...]]], list[Floats]]

_SIDE = 80
_PATTERNS = (1, 2, 3)
_TOLERANCE = 0.02  # of a probability; swapped channels move the answers by ten times that


def run_liveness_self_test(entry: LivenessEntry, assess: Assess) -> None:
    """Compare the networks' probabilities for fixed patterns with their stored references.

    Of the operator's own weights there is no reference: they are only held to answers that differ
    between inputs.

    Raises:
        ModelSelfTestFailed: what is loaded does not compute what it should.
    """
    answers = liveness_answers(entry, assess)
    if not np.isfinite(answers).all() or np.ptp(answers, axis=1).max() == 0:
        raise ModelSelfTestFailed(f"{entry.name} gives the same answer to different pictures")
    references = json.loads(REFERENCE_FILE.read_text(encoding="utf-8"))
    reference = references.get(entry.identity)
    if reference is None:
        return
    difference = float(np.abs(answers - np.array(reference)).max())
    if difference > _TOLERANCE:
        raise ModelSelfTestFailed(
            f"{entry.identity} differs from its reference by {difference:.3f}; {_TOLERANCE} is "
            f"allowed. Reinstall it: flask --app wsgi models install {entry.name}"
        )


def liveness_answers(entry: LivenessEntry, assess: Assess) -> Floats:
    """Return the probabilities for the patterns, (networks, patterns, classes)."""
    views = [tuple(pattern(_SIDE, seed) for _ in entry.networks) for seed in _PATTERNS]
    try:
        return np.stack(assess(views))
    except ValueError as error:
        raise ModelSelfTestFailed(str(error)) from error
