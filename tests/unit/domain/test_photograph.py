from __future__ import annotations

from uuid import UUID

from app.domain.calibration import Calibration, RateBasis
from app.domain.identifiers import new_id
from app.domain.matching import MatchRule, Neighbour, ThresholdReason, ThresholdRule
from app.domain.photograph import decide_photograph
from app.domain.states import Decision

CALIBRATION = Calibration(0.1, 0.1, provisional=True, source="a test")
REASON = ThresholdReason(
    ThresholdRule.THRESHOLD, None, 2, 1e-3, RateBasis.EXTRAPOLATED, CALIBRATION.version
)
RULE = MatchRule(0.4, CALIBRATION, REASON)
ADA, BOB, EVE = new_id(), new_id(), new_id()


def face(*near: tuple[UUID | None, float]) -> list[Neighbour]:
    return [Neighbour(new_id(), subject, similarity) for subject, similarity in near]


def decisions(*faces: list[Neighbour], distinct: bool = True) -> list[Decision]:
    return [face.decision for face in decide_photograph(RULE, faces, distinct=distinct)]


def test_only_the_most_similar_face_of_a_photograph_is_a_subject() -> None:
    faces = face((ADA, 0.5)), face((ADA, 0.8))

    assert decisions(*faces) == [Decision.UNKNOWN, Decision.MATCH]
    assert decisions(*faces, distinct=False) == [Decision.MATCH, Decision.MATCH]


def test_whoever_is_next_is_matched_instead() -> None:
    first, second = decide_photograph(
        RULE, [face((ADA, 0.6), (BOB, 0.5)), face((ADA, 0.8))], distinct=True
    )

    assert (first.decision, second.decision) == (Decision.MATCH, Decision.MATCH)
    assert (first.taken, second.taken) == ({ADA: 1}, {})


def test_a_face_that_has_to_give_way_takes_nobody_from_one_that_is_more_alike() -> None:
    # The second would be Bob at .5, were the third not more so.
    faces = face((ADA, 0.9)), face((ADA, 0.8), (BOB, 0.5)), face((BOB, 0.7))

    assert decisions(*faces) == [Decision.MATCH, Decision.UNKNOWN, Decision.MATCH]


def test_who_cannot_be_told_apart_is_taken_by_nobody() -> None:
    faces = face((ADA, 0.82), (BOB, 0.8)), face((BOB, 0.6))

    assert decisions(*faces) == [Decision.AMBIGUOUS, Decision.MATCH]


def test_who_is_taken_leaves_no_doubt_about_the_other() -> None:
    faces = face((ADA, 0.9)), face((ADA, 0.62), (BOB, 0.6))

    assert decisions(*faces) == [Decision.MATCH, Decision.MATCH]


def test_faces_without_a_subject_are_not_the_same_person() -> None:
    faces = face((None, 0.9)), face((None, 0.8))

    assert decisions(*faces) == [Decision.MATCH, Decision.MATCH]


def test_of_equals_the_larger_face_comes_first() -> None:
    faces = face((EVE, 0.7)), face((EVE, 0.7))

    assert decisions(*faces) == [Decision.MATCH, Decision.UNKNOWN]


def test_nobody_like_anybody_is_unknown() -> None:
    assert decisions([], face((ADA, 0.1))) == [Decision.UNKNOWN, Decision.UNKNOWN]
    assert decisions() == []
