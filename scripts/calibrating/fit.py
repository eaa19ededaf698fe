"""From counted comparisons to a calibration: the tail of strangers, and how sure it is.

The cosines of different people are nearly normal in the middle and need not be at the end, where
decisions are made. So a normal distribution is laid through the highest tenth alone: its
quantiles, evenly spaced in the logarithm of the rate, against those of the standard normal.

People are what is drawn at random, pairs are not: one person who resembles many is in many pairs.
So confidence bounds come from a bootstrap over people.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from scripts.calibrating.comparisons import Comparisons, Doubles, Strangers

FIT_FROM = 0.1
_LEVELS = 16
# With ten events, the 95 % interval of their true number is 4.8 to 18.4: within a factor of two.
EVENTS = 10
_LOWEST = 1e-7
ROUNDS = 400
STATED = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 1e-4, 1e-5, 1e-6)


class TooFewError(Exception):
    """There are too few people to say anything of strangers."""


@dataclass(frozen=True)
class Tail:
    """A normal distribution laid through the upper tail."""

    mean: float
    deviation: float

    def threshold(self, rate: float) -> float:
        """The similarity that strangers exceed at this rate."""
        return self.mean + self.deviation * NormalDist().inv_cdf(1 - rate)


@dataclass(frozen=True)
class Bound:
    """A stated rate: its threshold with the bounds of 95 % of bootstraps, and what was observed."""

    fmr: float
    similarity: float
    low: float
    high: float
    observed: float
    basis: str


@dataclass(frozen=True)
class Fit:
    """The tail, the lowest rate that the data support, and the stated rates with their bounds."""

    tail: Tail
    measured_to: float
    bounds: tuple[Bound, ...]


def fit(
    compared: Comparisons, *, rounds: int = ROUNDS, done: Callable[[int], None] = lambda _: None
) -> Fit:
    """Fit the strangers of `compared`, and bootstrap their people `rounds` times.

    Raises:
        TooFewError: not even one stranger in twenty could be counted often enough.
    """
    measured_to = EVENTS / max(compared.strangers.of_people, 1)
    if measured_to > FIT_FROM / 2:
        raise TooFewError(
            f"{compared.strangers.of_people} pairs of different people are too few: "
            f"{int(2 * EVENTS / FIT_FROM)} are needed, that is 21 people compared each with each"
        )
    strangers = compared.strangers
    tail = tail_of(strangers, np.ones(strangers.people), measured_to)
    random = np.random.default_rng(2026)
    drawn: list[Tail] = []
    while len(drawn) < rounds:
        people = random.integers(0, strangers.people, strangers.people)
        weights = np.bincount(people, minlength=strangers.people).astype(np.float64)
        drawn.append(tail_of(strangers, weights, measured_to))
        done(1)
    return Fit(tail, measured_to, tuple(_bound(rate, tail, drawn, compared) for rate in STATED))


def tail_of(strangers: Strangers, weights: Doubles, lowest: float) -> Tail:
    """Fit the tail between the rates FIT_FROM and `lowest`, person i counting weights[i] times."""
    each = weights[strangers.left] * weights[strangers.right]
    rates = np.cumsum(each) / max(strangers.weighted(weights), 1.0)
    levels = np.geomspace(FIT_FROM, max(lowest, _LOWEST), _LEVELS)
    places = np.minimum(np.searchsorted(rates, levels), len(rates) - 1)
    normal = np.array([NormalDist().inv_cdf(1 - level) for level in levels])
    deviation, mean = np.polyfit(normal, strangers.similarity[places], 1)
    return Tail(float(mean), float(deviation))


def _bound(rate: float, tail: Tail, drawn: list[Tail], compared: Comparisons) -> Bound:
    thresholds = [each.threshold(rate) for each in drawn]
    low, high = np.quantile(thresholds, [0.025, 0.975]) if thresholds else (np.nan, np.nan)
    threshold = tail.threshold(rate)
    return Bound(
        rate,
        threshold,
        float(low),
        float(high),
        compared.strangers.observed(threshold),
        "measured" if rate >= EVENTS / compared.strangers.of_people else "extrapolated",
    )
