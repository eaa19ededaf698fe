from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.domain.identifiers import new_id
from app.domain.job_options import JobOptions
from app.domain.job_request import ItemRequest, JobRequest
from app.domain.request_errors import (
    DuplicateCustomId,
    EmptyJob,
    Invalid,
    TooManyItems,
)
from app.domain.states import Operation

IMAGE = "s3://bucket/a.jpg"


def job(operation: Operation, *items: ItemRequest, **fields: Any) -> JobRequest:
    return JobRequest(operation, items, **fields)


def pointers(request: JobRequest) -> list[str]:
    with pytest.raises(Invalid) as caught:
        request.check(100)
    return [error.pointer for error in caught.value.errors]


def test_a_job_needs_an_item() -> None:
    with pytest.raises(EmptyJob):
        job(Operation.DETECT).check(100)


def test_a_job_with_too_many_items_says_how_many_are_allowed() -> None:
    items = [ItemRequest(str(n), IMAGE) for n in range(3)]

    with pytest.raises(TooManyItems, match="may carry 2"):
        job(Operation.DETECT, *items).check(2)


def test_a_custom_id_used_twice_is_pointed_at() -> None:
    with pytest.raises(DuplicateCustomId) as caught:
        job(Operation.DETECT, ItemRequest("a", IMAGE), ItemRequest("a", IMAGE)).check(100)

    (error,) = caught.value.errors
    assert (error.pointer, error.detail) == (
        "/items/1/custom_id",
        'items/0 has it (custom_id "a")',
    )


def test_every_custom_id_used_twice_is_told() -> None:
    names = ["a", "b", "a", "b", "b"]

    with pytest.raises(DuplicateCustomId) as caught:
        job(Operation.DETECT, *(ItemRequest(name, IMAGE) for name in names)).check(100)

    places = [error.pointer for error in caught.value.errors]
    assert places == [f"/items/{place}/custom_id" for place in (2, 3, 4)]


def test_a_wrong_item_is_named_as_the_client_names_it() -> None:
    with pytest.raises(Invalid) as caught:
        job(Operation.DETECT, ItemRequest("a", IMAGE), ItemRequest("photo 7")).check(100)

    assert caught.value.errors[0].detail.endswith('(custom_id "photo 7")')


@pytest.mark.parametrize("operation", [Operation.ENROL, Operation.IDENTIFY])
def test_a_gallery_operation_needs_a_collection(operation: Operation) -> None:
    assert "/collection_id" in pointers(job(operation, ItemRequest("a", IMAGE, subject="x")))


def test_an_item_names_its_image_in_exactly_one_way() -> None:
    assert pointers(job(Operation.DETECT, ItemRequest("a"))) == ["/items/0/image"]
    both = ItemRequest("a", IMAGE, image_id=new_id())
    assert pointers(job(Operation.DETECT, both)) == ["/items/0/image"]


@pytest.mark.parametrize("uri", ["http://x/y.jpg", "s3://", "s3://bucket", "s3://bucket/", "a.jpg"])
def test_an_image_that_cannot_be_there_is_not_the_requests_fault(uri: str) -> None:
    job(Operation.DETECT, ItemRequest("a", uri)).check(100)


@pytest.mark.parametrize(("length", "usable"), [(0, False), (1, True), (200, True), (201, False)])
def test_a_subject_has_as_many_characters_as_an_external_id_may(length: int, usable: bool) -> None:
    item = ItemRequest("a", IMAGE, subject="x" * length)

    job(Operation.ENROL, item, collection_id=new_id()).check(100)
    assert (item.subject_fault is None) is usable


def test_verify_needs_a_reference_or_a_subject_not_both() -> None:
    neither = ItemRequest("a", IMAGE)
    both = ItemRequest("b", IMAGE, reference=IMAGE, subject="x")

    found = pointers(job(Operation.VERIFY, neither, both, collection_id=new_id()))

    assert found == ["/items/0/reference", "/items/1/reference"]


def test_verify_against_a_subject_needs_its_collection() -> None:
    assert "/collection_id" in pointers(job(Operation.VERIFY, ItemRequest("a", IMAGE, subject="x")))


def test_enrol_needs_a_subject_unless_all_faces_are_taken() -> None:
    item = ItemRequest("a", IMAGE)
    assert pointers(job(Operation.ENROL, item, collection_id=new_id())) == ["/items/0/subject"]

    everybody = JobOptions(enrol_faces="all")
    job(Operation.ENROL, item, collection_id=new_id(), options=everybody).check(100)


def test_detect_takes_neither_subject_nor_reference() -> None:
    item = ItemRequest("a", IMAGE, subject="x", reference=IMAGE)

    assert pointers(job(Operation.DETECT, item)) == ["/items/0/reference", "/items/0/subject"]


@pytest.mark.parametrize("operation", [o for o in Operation if o is not Operation.ENROL])
@pytest.mark.parametrize(
    ("name", "value"), [("enrol_faces", "all"), ("on_conflict", "move"), ("on_changed", "replace")]
)
def test_what_only_an_enrolment_can_do_is_asked_of_no_other_operation(
    operation: Operation, name: str, value: str
) -> None:
    reference = IMAGE if operation is Operation.VERIFY else None
    collection = new_id() if operation.needs_collection else None
    wanted = job(operation, ItemRequest("a", IMAGE, reference=reference), collection_id=collection)
    asking = replace(wanted, options=JobOptions(**{name: value}))  # type: ignore[arg-type] # texts that they take

    assert pointers(asking) == [f"/options/{name}"]


def test_options_that_ask_for_nothing_may_be_sent_with_every_operation() -> None:
    usual = JobOptions(enrol_faces="only", on_conflict="keep", on_changed="add")
    job(Operation.DETECT, ItemRequest("a", IMAGE), options=usual).check(100)


def test_an_item_names_its_subject_as_the_collection_does_and_keeps_its_own_id() -> None:
    item = ItemRequest("Jose\u0301", "s3://photos/Jose\u0301.jpg", subject="Jose\u0301")
    assert item.subject == "Jos\u00e9"
    assert (item.custom_id, item.image) == ("Jose\u0301", "s3://photos/Jose\u0301.jpg")
