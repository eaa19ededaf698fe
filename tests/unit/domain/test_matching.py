from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calibration import Calibration, RateBasis
from app.domain.identifiers import new_id
from app.domain.matching import (
    AMBIGUITY_MARGIN,
    MatchRule,
    Neighbour,
    ThresholdReason,
    ThresholdRule,
    best_per_subject,
    cosine,
    false_match_rate_for_fpir,
)
from app.domain.states import Decision

CALIBRATION = Calibration(0.1, 0.1, provisional=True, source="a test")
REASON = ThresholdReason(
    ThresholdRule.THRESHOLD, None, 2, 1e-3, RateBasis.EXTRAPOLATED, CALIBRATION.version
)
RULE = MatchRule(0.4, CALIBRATION, REASON)


def near(similarity: float) -> Neighbour:
    return Neighbour(new_id(), new_id(), similarity)


def test_nobody_near_enough_is_unknown() -> None:
    assert RULE.decide([near(0.39)]) is Decision.UNKNOWN
    assert RULE.decide([]) is Decision.UNKNOWN


def test_a_face_at_the_threshold_is_a_match() -> None:
    assert RULE.decide([near(0.4), near(0.1)]) is Decision.MATCH


def test_two_subjects_too_close_to_each_other_are_ambiguous() -> None:
    assert RULE.decide([near(0.7), near(0.7 - AMBIGUITY_MARGIN / 2)]) is Decision.AMBIGUOUS


def test_a_runner_up_below_the_threshold_does_not_make_it_ambiguous() -> None:
    assert RULE.decide([near(0.41), near(0.39)]) is Decision.MATCH


def test_a_pair_matches_from_the_threshold_on() -> None:
    assert RULE.decide_pair(0.4) is Decision.MATCH
    assert RULE.decide_pair(0.399) is Decision.NO_MATCH


def test_each_subject_stands_once_with_its_best_face() -> None:
    subject = new_id()
    faces = [Neighbour(new_id(), subject, s) for s in (0.5, 0.9, 0.7)]
    other = near(0.6)

    assert best_per_subject([*faces, other], 5) == [faces[1], other]


def test_a_face_without_a_subject_stands_for_itself() -> None:
    faces = [Neighbour(new_id(), None, s) for s in (0.9, 0.8)]

    assert best_per_subject(faces, 5) == faces


def test_of_equals_the_face_enrolled_first_stands_first() -> None:
    faces = [near(0.5) for _ in range(4)]

    assert best_per_subject(faces[::-1], 4) == faces


def test_no_more_subjects_than_asked_for() -> None:
    assert len(best_per_subject([near(0.1 * n) for n in range(8)], 3)) == 3


@given(st.floats(1e-9, 0.5), st.integers(1, 10_000_000))
def test_the_false_match_rate_reaches_its_target_fpir(target: float, size: int) -> None:
    rate = false_match_rate_for_fpir(target, size)

    assert -math.expm1(size * math.log1p(-rate)) == pytest.approx(target, rel=1e-6)


def test_a_larger_gallery_needs_a_lower_false_match_rate() -> None:
    assert false_match_rate_for_fpir(0.01, 10_000) < false_match_rate_for_fpir(0.01, 100)


def test_an_empty_gallery_is_treated_as_one_face() -> None:
    assert false_match_rate_for_fpir(0.01, 0) == pytest.approx(0.01)


def test_cosine_of_a_unit_vector_with_itself_is_one() -> None:
    assert cosine((0.6, 0.8), (0.6, 0.8)) == pytest.approx(1)


def test_cosine_of_vectors_that_are_rounded_to_more_than_1_stays_in_range() -> None:
    longer = (0.6001, 0.8001)

    assert cosine(longer, longer) == 1
    assert cosine(longer, (-0.6001, -0.8001)) == -1


def test_cosine_refuses_vectors_of_different_dimensions() -> None:
    with pytest.raises(ValueError, match="shorter"):
        cosine((1.0, 0.0), (1.0,))
