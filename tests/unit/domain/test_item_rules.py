from __future__ import annotations

import pytest

from app.domain.errors import ImageCorrupt, LowQuality, MultipleFaces, NoFace
from app.domain.item_rules import judge
from app.domain.job_options import JobOptions
from app.domain.outcomes import FoundFace, FoundImage, ItemOutcome
from app.domain.states import Operation


def face(number: int = 0, quality: float = 0.9) -> FoundFace:
    return FoundFace(number, (0, 0, 50, 60), (0.0,) * 10, 0.95, quality, (1.0, 0.0))


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
