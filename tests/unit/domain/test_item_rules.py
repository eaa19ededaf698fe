from __future__ import annotations

import pytest

from app.domain.item_errors import (
    ImageCorrupt,
    LowQuality,
    MultipleFaces,
    NoFace,
    NotLive,
)
from app.domain.item_rules import judge
from app.domain.job_options import JobOptions
from app.domain.outcomes import FoundFace, FoundImage, ItemOutcome
from app.domain.states import Operation


def face(number: int = 0, quality: float = 0.9, live: float | None = None) -> FoundFace:
    """A face; `live` is its liveness score, None when it was not asked for."""
    judged = None
    if live is not None:
        judged = {"score": live, "live": live >= 0.5, "threshold": 0.5, "model": "any@1"}
    vector = None if live is not None and live < 0.5 else (1.0, 0.0)
    return FoundFace(number, (0, 0, 50, 60), (0.0,) * 10, 0.95, quality, vector, judged)


def image(*faces: FoundFace) -> FoundImage:
    return FoundImage(b"\0" * 32, 100, 100, faces)


def judged(
    operation: Operation,
    seen: FoundImage,
    reference: FoundImage | None = None,
    options: JobOptions | None = None,
) -> ItemOutcome:
    return judge(operation, options or JobOptions(), ItemOutcome(0, seen, reference))


@pytest.mark.parametrize("operation", [Operation.DETECT, Operation.IDENTIFY])
def test_an_image_without_a_face_is_an_answer_where_none_is_wanted(operation: Operation) -> None:
    assert judged(operation, image()).error is None


@pytest.mark.parametrize("operation", [Operation.ENROL, Operation.VERIFY])
def test_an_image_without_a_face_is_an_error_where_one_is_wanted(operation: Operation) -> None:
    assert isinstance(judged(operation, image()).error, NoFace)


def test_verify_needs_a_face_in_the_reference_too() -> None:
    error = judged(Operation.VERIFY, image(face()), image()).error

    assert isinstance(error, NoFace)
    assert "reference" in error.message


def test_enrol_refuses_a_second_face_by_default() -> None:
    error = judged(Operation.ENROL, image(face(0), face(1))).error

    assert isinstance(error, MultipleFaces)


def test_a_failed_enrolment_keeps_the_faces_it_saw() -> None:
    outcome = judged(Operation.ENROL, image(face(0), face(1)))

    assert outcome.image is not None
    assert len(outcome.image.faces) == 2


def test_enrol_largest_takes_the_first_face() -> None:
    options = JobOptions(enrol_faces="largest")

    outcome = judged(Operation.ENROL, image(face(0), face(1)), options=options)

    assert outcome.image is not None
    assert [f.face_no for f in outcome.image.faces] == [0]


def test_enrol_all_takes_every_good_face() -> None:
    options = JobOptions(enrol_faces="all", min_quality=0.5)

    outcome = judged(Operation.ENROL, image(face(0), face(1, 0.2), face(2)), options=options)

    assert outcome.image is not None
    assert [f.face_no for f in outcome.image.faces] == [0, 2]


def test_a_face_below_the_wanted_quality_cannot_be_enrolled() -> None:
    error = judged(
        Operation.ENROL, image(face(quality=0.2)), options=JobOptions(min_quality=0.5)
    ).error

    assert isinstance(error, LowQuality)
    assert "0.20" in error.message


def test_an_error_stays_the_error_it_was() -> None:
    failed = ItemOutcome(0, error=ImageCorrupt("cut off"))

    assert judge(Operation.ENROL, JobOptions(), failed) is failed


@pytest.mark.parametrize("operation", [Operation.ENROL, Operation.VERIFY])
def test_a_face_that_is_not_live_is_neither_enrolled_nor_verified(operation: Operation) -> None:
    error = judged(operation, image(face(live=0.12))).error

    assert isinstance(error, NotLive)
    assert "0.12" in error.message


@pytest.mark.parametrize("operation", [Operation.DETECT, Operation.IDENTIFY])
def test_a_face_that_is_not_live_is_an_answer_where_none_is_wanted(operation: Operation) -> None:
    assert judged(operation, image(face(live=0.12))).error is None


def test_a_live_face_is_enrolled() -> None:
    assert judged(Operation.ENROL, image(face(live=0.9))).error is None


def test_a_live_bystander_is_not_enrolled_in_place_of_the_largest_face() -> None:
    options = JobOptions(enrol_faces="largest")

    error = judged(
        Operation.ENROL, image(face(0, live=0.1), face(1, live=0.9)), None, options
    ).error

    assert isinstance(error, NotLive)


def test_enrol_all_goes_on_with_the_live_faces_and_keeps_the_others_to_be_seen() -> None:
    options = JobOptions(enrol_faces="all")

    outcome = judged(Operation.ENROL, image(face(0, live=0.1), face(1, live=0.9)), None, options)

    assert outcome.error is None
    assert outcome.image is not None
    assert [(f.face_no, f.embedding is not None) for f in outcome.image.faces] == [
        (0, False),
        (1, True),
    ]


def test_verify_goes_on_with_the_live_faces() -> None:
    seen = image(face(0, live=0.1), face(1, live=0.9))

    assert judged(Operation.VERIFY, seen, image(face())).error is None


def test_the_reference_of_a_verification_may_be_a_photograph_of_a_document() -> None:
    assert judged(Operation.VERIFY, image(face(live=0.9)), image(face())).error is None
