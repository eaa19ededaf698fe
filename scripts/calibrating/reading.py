"""Whether stated rates hold on people, and on kinds of pictures, that were not used to fit them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from scripts.calibrating.comparisons import Comparisons, Doubles, Strangers, pooled
from scripts.calibrating.fit import EVENTS, tail_of

READ_AT = (3e-2, 1e-2, 3e-3, 1e-3)
HALVINGS = 200


@dataclass(frozen=True)
class Reading:
    """What strangers did at a stated rate: mean of all halvings, and where 90 % of them lay."""

    kind: str
    stated: float
    observed: float
    low: float
    high: float


def read_halves(
    kinds: Mapping[str, Comparisons],
    *,
    halvings: int = HALVINGS,
    done: Callable[[int], None] = lambda _: None,
) -> list[Reading]:
    """Fit one half of the people and read the other, many times, for every kind of picture.

    A kind is read by what all the others say; where there is only one, by itself.
    """
    people = next(iter(kinds.values())).strangers.people
    readings = []
    for kind, read in kinds.items():
        others = [part for name, part in kinds.items() if name != kind] or [read]
        fitted = pooled(others).strangers
        random = np.random.default_rng(11)
        seen = []
        for _ in range(halvings):
            half = np.zeros(people)
            half[random.permutation(people)[: people // 2]] = 1.0
            seen.append(_observed(fitted, read.strangers, half))
            done(1)
        for rate, observed in zip(READ_AT, np.array(seen).T, strict=True):
            low, high = np.quantile(observed, [0.05, 0.95])
            readings.append(Reading(kind, rate, float(observed.mean()), float(low), float(high)))
    return readings


def _observed(fitted: Strangers, read: Strangers, half: Doubles) -> list[float]:
    lowest = EVENTS / max(half.sum() * (half.sum() - 1) / 2, 1)
    tail = tail_of(fitted, half, lowest)
    return [read.observed(tail.threshold(rate), 1 - half) for rate in READ_AT]
