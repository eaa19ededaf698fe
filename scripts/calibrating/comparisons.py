"""Who was compared with whom, and how similar they were: what a calibration is fitted to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from workers.vision.arrays import Floats

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]
Counts = npt.NDArray[np.int64]

# Similarities are counted in bins of 0.001 for the curves; the tail is kept as it is.
BINS = 2000
EDGES = np.linspace(-1, 1, BINS + 1)
# Below this quantile of strangers nothing is kept: nothing is fitted below 0.9, in whatever light.
_KEPT_FROM = 0.7
_SAMPLE = 1500
_BLOCK = 512


@dataclass(frozen=True)
class Pictures:
    """Faces of one kind of picture: (n, d) unit vectors, who each shows, of which photograph."""

    vectors: Floats
    who: Indices
    photograph: Indices


@dataclass(frozen=True)
class Strangers:
    """Comparisons of different people: their upper tail in full, the rest counted.

    Attributes:
        similarity: (n,) cosines of the tail, highest first.
        left, right: (n,) numbers of the two people.
        people: how many people there are; those numbers are below it.
        counts: (BINS,) comparisons in each bin, the tail included.
        weighted: how many comparisons there are when person i counts weights[i] times.
    """

    similarity: Doubles
    left: Indices
    right: Indices
    people: int
    counts: Counts
    weighted: Callable[[Doubles], float]

    @cached_property
    def pairs(self) -> int:
        """How many comparisons."""
        return int(self.counts.sum())

    @cached_property
    def compared(self) -> int:
        """How many people were compared: those with a usable face."""
        return len(np.union1d(self.left, self.right))

    @cached_property
    def of_people(self) -> int:
        """How many pairs of people could be counted, each once, whatever their pictures."""
        return min(self.compared * (self.compared - 1) // 2, self.pairs)

    def observed(self, similarity: float, weights: Doubles | None = None) -> float:
        """Share of strangers at least this similar, person i counted weights[i] times.

        Exact within the tail; below it, too low.
        """
        within = int(np.searchsorted(-self.similarity, -similarity, side="right"))
        if weights is None:
            return within / max(self.pairs, 1)
        each = weights[self.left[:within]] * weights[self.right[:within]]
        return float(each.sum() / max(self.weighted(weights), 1.0))


@dataclass(frozen=True)
class Comparisons:
    """Strangers, and different photographs of one person compared with each other.

    `mated` holds (n,) cosines; `mated_people` says how many people they show.
    """

    strangers: Strangers
    mated: Doubles
    mated_people: int


def compare(
    probes: Pictures, gallery: Pictures, people: int, done: Callable[[int], None] = lambda _: None
) -> Comparisons:
    """Compare every probe with the gallery, of `people` people, two photographs of one included.

    Where both are the same object, each pair is counted once. `done` is told of rows compared.
    Memory: the tail, and a block of rows.
    """
    once = probes is gallery
    cut = _cut(gallery)
    counts, mated, mated_who, tail = np.zeros(BINS, np.int64), [], [], []
    for start in range(0, len(probes.vectors), _BLOCK):
        rows = slice(start, start + _BLOCK)
        block = np.clip(np.asarray(probes.vectors[rows] @ gallery.vectors.T, np.float64), -1, 1)
        counted = probes.photograph[rows][:, None] != gallery.photograph[None, :]
        if once:
            counted &= np.arange(start, start + len(block))[:, None] < np.arange(block.shape[1])
        same = probes.who[rows][:, None] == gallery.who[None, :]
        mated.append(block[counted & same])
        mated_who.append(gallery.who[np.nonzero(counted & same)[1]])
        counts += np.histogram(block[counted & ~same], EDGES)[0]
        high = np.nonzero(counted & ~same & (block >= cut))
        tail.append((block[high], probes.who[rows][high[0]], gallery.who[high[1]]))
        done(len(block))
    similarity, left, right = (np.concatenate(part) for part in zip(*tail, strict=True))
    weighted = _weighted(probes, gallery, people, once=once)
    strangers = _sorted(similarity, left, right, people, counts, weighted)
    return Comparisons(strangers, np.concatenate(mated), len(np.unique(np.concatenate(mated_who))))


def _weighted(
    probes: Pictures, gallery: Pictures, people: int, *, once: bool
) -> Callable[[Doubles], float]:
    probing = np.bincount(probes.who, minlength=people).astype(np.float64)
    enrolled = np.bincount(gallery.who, minlength=people).astype(np.float64)

    def weighted(weights: Doubles) -> float:
        of_all = float((weights @ probing) * (weights @ enrolled))
        pairs = of_all - float((weights**2 * probing * enrolled).sum())
        return pairs / 2 if once else pairs

    return weighted


def _cut(gallery: Pictures) -> float:
    """The similarity above which comparisons are kept one by one; of few, all are."""
    if len(gallery.vectors) <= _SAMPLE:
        return -1.0
    some = np.random.default_rng(1).choice(len(gallery.vectors), _SAMPLE, replace=False)
    matrix = gallery.vectors[some] @ gallery.vectors[some].T
    others = gallery.who[some][:, None] != gallery.who[some][None, :]
    return float(np.quantile(matrix[others], _KEPT_FROM))


def _sorted(
    similarity: Doubles,
    left: Indices,
    right: Indices,
    people: int,
    counts: Counts,
    weighted: Callable[[Doubles], float],
) -> Strangers:
    order = np.argsort(-similarity, kind="stable")
    return Strangers(similarity[order], left[order], right[order], people, counts, weighted)


def pooled(parts: Sequence[Comparisons]) -> Comparisons:
    """Put comparisons of the same people together, such as those of several kinds of picture."""
    strangers = [part.strangers for part in parts]
    return Comparisons(
        _sorted(
            np.concatenate([s.similarity for s in strangers]),
            np.concatenate([s.left for s in strangers]),
            np.concatenate([s.right for s in strangers]),
            strangers[0].people,
            np.sum([s.counts for s in strangers], axis=0),
            lambda weights: sum(s.weighted(weights) for s in strangers),
        ),
        np.concatenate([part.mated for part in parts]),
        max(part.mated_people for part in parts),
    )


def compared_already(
    similarity: Doubles, left: Sequence[str], right: Sequence[str], same: npt.NDArray[np.bool_]
) -> Comparisons:
    """Take (n,) comparisons that somebody made and judged, of named people."""
    known, numbers = np.unique(np.array([*left, *right]), return_inverse=True)
    first, second = np.split(numbers.astype(np.int32), 2)
    one, two, cosines = first[~same], second[~same], np.clip(similarity[~same], -1, 1)
    strangers = _sorted(
        cosines,
        one,
        two,
        len(known),
        np.histogram(cosines, EDGES)[0].astype(np.int64),
        lambda weights: float((weights[one] * weights[two]).sum()),
    )
    return Comparisons(strangers, similarity[same], len(np.unique(first[same])))
