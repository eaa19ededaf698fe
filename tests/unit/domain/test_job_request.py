from __future__ import annotations

from typing import Any

import pytest

from app.domain.errors import DuplicateCustomId, EmptyJob, Invalid, TooManyItems
from app.domain.identifiers import new_id
from app.domain.job_options import JobOptions
from app.domain.job_request import ItemRequest, JobRequest
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

    assert caught.value.errors[0].pointer == "/items/1/custom_id"


@pytest.mark.parametrize("operation", [Operation.ENROL, Operation.IDENTIFY])
def test_a_gallery_operation_needs_a_collection(operation: Operation) -> None:
    assert "/collection_id" in pointers(job(operation, ItemRequest("a", IMAGE, subject="x")))


def test_an_item_names_its_image_in_exactly_one_way() -> None:
    assert pointers(job(Operation.DETECT, ItemRequest("a"))) == ["/items/0/image"]
    both = ItemRequest("a", IMAGE, image_id=new_id())
    assert pointers(job(Operation.DETECT, both)) == ["/items/0/image"]


@pytest.mark.parametrize("uri", ["http://x/y.jpg", "s3://", "s3://bucket", "s3://bucket/", "a.jpg"])
def test_an_image_must_be_an_s3_uri_with_a_key(uri: str) -> None:
    assert pointers(job(Operation.DETECT, ItemRequest("a", uri))) == ["/items/0/image"]


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
