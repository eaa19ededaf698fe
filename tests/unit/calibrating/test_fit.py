from __future__ import annotations

import numpy as np
import pytest

from scripts.calibrating.comparisons import (
    Comparisons,
    Pictures,
    compare,
    compared_already,
    pooled,
)
from scripts.calibrating.document import det_curve
from scripts.calibrating.fit import Tail, TooFewError, fit, tail_of
from scripts.calibrating.reading import read_halves
from tests.factories.crowds import Vectors, crowd


def pictures(vectors: Vectors, pictures_each: int = 1) -> Pictures:
    numbers = np.arange(len(vectors), dtype=np.int32)
    return Pictures(vectors, numbers // pictures_each, numbers)


def among(people: int, seed: int = 1) -> Comparisons:
    drawn = pictures(crowd(people, seed))
    return compare(drawn, drawn, people)


def test_each_pair_is_counted_once_and_of_one_person_apart() -> None:
    four = pictures(np.eye(4, 128, dtype=np.float32), pictures_each=2)

    compared = compare(four, four, 2)

    assert (compared.strangers.pairs, len(compared.mated), compared.mated_people) == (4, 2, 2)


def test_probes_are_not_compared_with_the_photograph_they_were_made_of() -> None:
    gallery = pictures(crowd(6, 1), pictures_each=2)
    changed = Pictures(crowd(6, 2), gallery.who, gallery.photograph)

    compared = compare(changed, gallery, 3)

    assert (compared.strangers.pairs, len(compared.mated)) == (24, 6)


def test_the_tail_of_a_large_set_is_that_of_all_its_comparisons() -> None:
    vectors = crowd(1800, 3)
    compared = among(1800, 3).strangers
    cosines = (vectors @ vectors.T)[np.triu_indices(1800, 1)]

    assert compared.pairs == len(cosines)
    assert len(compared.similarity) < 0.4 * len(cosines)
    for similarity in (0.25, 0.35):
        counted = float((cosines >= similarity).mean())
        assert compared.observed(similarity) == pytest.approx(counted, rel=1e-3)


def test_weights_count_people_as_often_as_they_were_drawn() -> None:
    vectors = crowd(4, 4)
    weights = np.array([2.0, 1.0, 0.0, 1.0])
    strangers = compare(pictures(vectors), pictures(vectors), 4).strangers
    low = float((vectors @ vectors.T)[[0, 0, 1], [1, 3, 3]].min())

    assert strangers.weighted(np.ones(4)) == pytest.approx(12)
    # 2 x 1 + 2 x 1 + 1 x 1, counted in both directions.
    assert strangers.weighted(weights) == pytest.approx(10)
    assert strangers.observed(low - 1e-6, weights) == pytest.approx(1)


def test_stated_rates_are_those_of_other_people_of_the_same_kind() -> None:
    fitted = fit(among(400), rounds=0)
    others = among(1000, seed=2).strangers

    assert fitted.measured_to == pytest.approx(10 / (400 * 399 / 2))
    for rate in (1e-2, 1e-3, 1e-4):
        observed = others.observed(fitted.tail.threshold(rate))
        assert rate / 2 < observed < rate * 2


def test_what_the_data_support_is_said_and_what_they_do_not() -> None:
    bases = {bound.fmr: bound.basis for bound in fit(among(100), rounds=0).bounds}

    assert (bases[3e-3], bases[1e-3]) == ("measured", "extrapolated")


def test_few_people_are_less_sure_than_many_however_many_pictures_they_have() -> None:
    few = np.repeat(crowd(40, 5), 10, axis=0)

    def width(compared: Comparisons) -> float:
        bound = next(b for b in fit(compared, rounds=60).bounds if b.fmr == 1e-2)
        assert bound.low < bound.similarity < bound.high
        return bound.high - bound.low

    repeated = compare(pictures(few, 10), pictures(few, 10), 40)
    assert repeated.strangers.of_people == 780
    assert width(repeated) > 3 * width(among(400))


def test_twenty_people_are_too_few() -> None:
    with pytest.raises(TooFewError, match="21 people"):
        fit(among(20), rounds=0)
    fit(among(21), rounds=0)


def test_a_kind_of_picture_is_read_by_people_and_kinds_that_were_not_fitted() -> None:
    kinds = {"clear": among(300, 6), "blurred": among(300, 6)}
    alike = pictures(crowd(300, 6) + np.eye(1, 128, dtype=np.float32) * 0.2)
    unit = Pictures(
        alike.vectors / np.linalg.norm(alike.vectors, axis=1, keepdims=True),
        alike.who,
        alike.photograph,
    )
    kinds["dark"] = compare(unit, unit, 300)

    readings = {(r.kind, r.stated): r.observed for r in read_halves(kinds, halvings=20)}

    assert readings["dark", 1e-2] > 4e-2
    assert readings["clear", 1e-2] < 1e-2


def test_a_table_of_judged_comparisons_is_fitted_like_faces() -> None:
    drawn = crowd(60, 7)
    left, right = np.triu_indices(60, 1)
    similarity = (drawn @ drawn.T)[left, right].astype(np.float64)
    names = [f"p{n}" for n in range(60)]
    table = compared_already(
        similarity,
        [names[n] for n in left],
        [names[n] for n in right],
        np.zeros(len(left), np.bool_),
    )

    ones, lowest = np.ones(60), 10 / 1770
    of_table, of_faces = (
        tail_of(each.strangers, ones, lowest) for each in (table, among(60, seed=7))
    )
    assert isinstance(of_table, Tail)
    assert of_table.mean == pytest.approx(of_faces.mean, abs=1e-3)
    assert of_table.deviation == pytest.approx(of_faces.deviation, abs=1e-3)


def test_together_all_comparisons_count() -> None:
    one, other = among(50, 8), among(50, 9)

    both = pooled([one, other]).strangers

    assert both.pairs == one.strangers.pairs + other.strangers.pairs
    assert both.observed(0.2) == pytest.approx(
        (one.strangers.observed(0.2) + other.strangers.observed(0.2)) / 2
    )


def test_the_curve_counts_both_errors() -> None:
    two = np.zeros((4, 128), np.float32)
    two[[0, 1], 0] = two[[2, 3], 1] = 1
    two[1], two[3] = [0.6, 0, 0.8] + [0] * 125, [0, 0.6, 0, 0.8] + [0] * 124
    compared = compare(pictures(two, 2), pictures(two, 2), 2)

    curve = {point["similarity"]: point for point in det_curve(compared)}

    assert curve[0.5]["fnmr"] == 0
    assert curve[0.7]["fnmr"] == 1
    assert (curve[0.0]["fmr"], curve[0.1]["fmr"]) == (1, 0)
