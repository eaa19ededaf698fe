"""A name is the same however it was typed: é in one character, or as a Mac writes it, in two."""

from __future__ import annotations

from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from app.api.schemas import given_name
from app.database.transactions import tenant_transaction
from app.domain import job_request
from app.models.collection import Collection
from app.models.job import Item
from tests.factories.callers import Caller
from tests.factories.galleries import make_collection, make_subject
from tests.factories.jobs import PLACE

COMPOSED, DECOMPOSED = "Jos\u00e9", "Jose\u0301"
# A character that has no composed form: two, once normal.
GROWING = "\u0958"


def test_a_person_is_added_once_whatever_the_form_of_the_external_id(api: Caller) -> None:
    path = f"/collections/{make_collection(api.tenant_id).id}/subjects"
    made = api.post(path, json={"external_id": DECOMPOSED})
    assert (made.status_code, made.get_json()["external_id"]) == (201, COMPOSED)
    again = api.post(path, json={"external_id": COMPOSED})
    assert (again.status_code, again.get_json()["code"]) == (409, "already_exists")


def test_a_person_is_renamed_to_the_normal_form(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    path = f"/collections/{collection.id}/subjects/{make_subject(collection).id}"
    assert api.patch(path, json={"external_id": DECOMPOSED}).get_json()["external_id"] == COMPOSED


def test_both_forms_enrol_one_person(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    submitted = _submit(api, collection, "enrol", COMPOSED, DECOMPOSED)
    assert submitted.status_code == 202
    people = api.get(f"/collections/{collection.id}/subjects").get_json()["data"]
    assert [person["external_id"] for person in people] == [COMPOSED]


def test_a_claim_in_the_other_form_is_of_the_same_person(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    subject = make_subject(collection, COMPOSED)
    submitted = _submit(api, collection, "verify", DECOMPOSED)
    assert submitted.status_code == 202
    with tenant_transaction(api.tenant_id) as session:
        (item,) = session.query(Item).filter_by(job_id=UUID(submitted.get_json()["id"]))
    assert item.subject_id == subject.id


def test_custom_ids_and_s3_keys_stay_as_they_were_sent(api: Caller) -> None:
    items = [{"custom_id": name, "image": f"{PLACE}{name}.jpg"} for name in (COMPOSED, DECOMPOSED)]
    job = api.post("/jobs", json={"operation": "detect", "items": items})
    assert job.status_code == 202
    with tenant_transaction(api.tenant_id) as session:
        kept = session.query(Item).filter_by(job_id=UUID(job.get_json()["id"])).all()
    assert {(item.custom_id, item.image_uri) for item in kept} == {
        (item["custom_id"], item["image"]) for item in items
    }


def test_a_collections_name_is_taken_in_both_forms(api: Caller) -> None:
    made = api.post("/collections", json={"name": DECOMPOSED})
    assert made.get_json()["name"] == COMPOSED
    assert api.post("/collections", json={"name": COMPOSED}).status_code == 409
    other = make_collection(api.tenant_id)
    assert api.patch(f"/collections/{other.id}", json={"name": DECOMPOSED}).status_code == 409


def test_a_keys_name_is_kept_in_the_normal_form(api: Caller) -> None:
    made = api.post("/api-keys", json={"name": DECOMPOSED, "scopes": ["jobs:read"]})
    assert made.get_json()["name"] == COMPOSED


@pytest.mark.parametrize(
    ("external_id", "status"),
    [("e\u0301" * 200, 201), ("e\u0301" * 201, 422), (GROWING * 101, 422)],
)
def test_the_length_of_a_name_is_that_of_its_normal_form(
    api: Caller, external_id: str, status: int
) -> None:
    collection = make_collection(api.tenant_id)
    path = f"/collections/{collection.id}/subjects"
    assert api.post(path, json={"external_id": external_id}).status_code == status
    job = _submit(api, collection, "enrol", external_id).get_json()
    assert job["errors_by_code"] == ({} if status == 201 else {"subject_invalid": 1})


def test_what_is_far_too_long_is_refused_before_it_is_normalised(
    api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []
    for module in (given_name, job_request):
        monkeypatch.setattr(module, "normal_name", looked_at.append)
    collection = make_collection(api.tenant_id)
    marks = "\u0316\u0301" * 1000
    path = f"/collections/{collection.id}/subjects"
    assert api.post(path, json={"external_id": marks}).status_code == 422
    job = _submit(api, collection, "enrol", marks).get_json()
    assert job["errors_by_code"] == {"subject_invalid": 1}
    assert looked_at == []


def _submit(api: Caller, collection: Collection, operation: str, *subjects: str) -> TestResponse:
    items = [
        {"custom_id": str(number), "image": f"{PLACE}a.jpg", "subject": subject}
        for number, subject in enumerate(subjects)
    ]
    body = {"operation": operation, "collection_id": str(collection.id), "items": items}
    return api.post("/jobs", json=body)
