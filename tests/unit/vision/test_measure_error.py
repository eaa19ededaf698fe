from __future__ import annotations

import numpy as np
import pytest

from workers.vision.measure.measure_error import equal_error_rate


def rate(genuine: list[float], impostor: list[float]) -> tuple[float, float]:
    same = np.array([True] * len(genuine) + [False] * len(impostor))
    return equal_error_rate(np.array(genuine + impostor, dtype=np.float32), same)


def test_people_who_are_told_apart_have_no_error() -> None:
    found, threshold = rate([0.7, 0.8, 0.9], [0.1, 0.2, 0.3])
    assert found == 0
    assert 0.3 < threshold < 0.7


def test_one_in_four_confused_on_both_sides_is_a_quarter() -> None:
    found, _ = rate([0.9, 0.8, 0.7, 0.2], [0.1, 0.15, 0.18, 0.75])
    assert found == pytest.approx(0.25)


def test_random_similarities_have_an_error_of_one_half() -> None:
    values = np.random.default_rng(5).random(4000)
    found, _ = rate(list(values[:2000]), list(values[2000:]))
    assert found == pytest.approx(0.5, abs=0.03)


def test_everything_the_wrong_way_round_is_an_error_of_one() -> None:
    assert rate([0.1, 0.2], [0.8, 0.9])[0] == 1
