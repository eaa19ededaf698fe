"""Outcomes as a worker would make them, drawn from a stated distribution."""

from __future__ import annotations

import math
import random
from hashlib import sha256

from app.domain.outcomes import FoundFace, FoundImage, ItemOutcome


def unit_vector(seed: int, dimensions: int = 128) -> tuple[float, ...]:
    """A direction drawn uniformly from the sphere."""
    draw = random.Random(seed)  # noqa: S311 - a reproducible draw
    values = [draw.gauss(0, 1) for _ in range(dimensions)]
    length = math.hypot(*values)
    return tuple(value / length for value in values)


def face(seed: int, number: int = 0) -> FoundFace:
    return FoundFace(number, (10, 10, 80, 100), (0.0,) * 10, 0.95, 0.9, unit_vector(seed))


def outcome(seq: int, seed: int | None = None) -> ItemOutcome:
    """An item whose image shows one face, made from `seed` (by default its number)."""
    seed = seq if seed is None else seed
    digest = sha256(str(seed).encode()).digest()
    return ItemOutcome(seq, FoundImage(digest, 200, 200, (face(seed),)))
