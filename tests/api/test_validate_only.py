"""A job can be checked before it is submitted: the same things, in the same words."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from app.database.transactions import owner_transaction
from app.domain.identifiers import new_id
from app.domain.names import Scope
from tests.factories.callers import Caller
from tests.factories.galleries import make_collection, make_subject
from tests.factories.jobs import PLACE

ITEM = {"custom_id": "a", "image": f"{PLACE}a.jpg"}
JOB = {"operation": "detect", "items": [ITEM]}
NOBODYS = "01890000-0000-7000-8000-000000000000"
# Rows of a tenant that a submission, or its key, would leave.
LEFT = """
SELECT (SELECT count(*) FROM jobs WHERE tenant_id = :id)
  + (SELECT count(*) FROM items WHERE tenant_id = :id)
  + (SELECT count(*) FROM shards WHERE tenant_id = :id)
  + (SELECT count(*) FROM idempotency_keys WHERE tenant_id = :id)
"""


def check(api: Caller, body: dict[str, Any], **request: Any) -> TestResponse:
    return api.post("/jobs?validate_only=true", json=body, **request)


def rows(tenant_id: UUID, query: str = LEFT) -> int:
    with owner_transaction() as session:
        return int(session.execute(text(query), {"id": tenant_id}).scalar_one())


def test_a_job_that_can_be_done_is_valid(api: Caller) -> None:
    response = check(api, JOB)
    assert response.status_code == 200
    assert response.get_json() == {
        "valid": True,
        "items": 1,
        "problem_count": 0,
        "problems": [],
    }


def test_nothing_is_written(api: Caller) -> None:
    audited = "SELECT count(*) FROM audit_events WHERE tenant_id = :id"
    before = rows(api.tenant_id, audited)
    check(api, JOB, headers={"Idempotency-Key": "key", "Prefer": "wait=5"})
    assert rows(api.tenant_id) == 0
    assert rows(api.tenant_id, audited) == before


def test_nobody_is_made_for_being_named(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    body = {
        "operation": "enrol",
        "collection_id": str(collection.id),
        "items": [{**ITEM, "subject": "somebody new"}],
    }
    assert check(api, body).get_json()["valid"] is True
    assert api.get(f"/collections/{collection.id}/subjects").get_json()["data"] == []


def test_the_key_of_a_check_is_free_for_the_submission(api: Caller) -> None:
    headers = {"Idempotency-Key": "key"}
    assert check(api, JOB, headers=headers).status_code == 200
    assert api.post("/jobs", json=JOB, headers=headers).status_code == 202
    assert check(api, JOB, headers=headers).status_code == 200
    assert len(api.get("/jobs").get_json()["data"]) == 1


def test_items_that_would_fail_are_told_in_the_words_of_their_results(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    make_subject(collection, "known")
    missing = str(new_id())
    body = {
        "operation": "verify",
        "collection_id": str(collection.id),
        "items": [
            {**ITEM, "custom_id": "right", "subject": "known"},
            {"custom_id": "elsewhere", "image": "s3://other/a.jpg", "subject": "known"},
            {"custom_id": "no place", "image": "a.jpg", "subject": "known"},
            {"custom_id": "no upload", "image_id": missing, "subject": "known"},
            {**ITEM, "custom_id": "no reference", "reference_id": missing},
            {**ITEM, "custom_id": "no version", "image_version": "", "subject": "known"},
            {**ITEM, "custom_id": "unknown", "subject": "nobody"},
            {**ITEM, "custom_id": "no name", "subject": "x" * 201},
        ],
    }

    checked = check(api, body).get_json()

    job = api.post("/jobs", json=body).get_json()
    results = api.get(f"/jobs/{job['id']}/items?state=failed").get_json()["data"]
    assert (checked["valid"], checked["items"], checked["problem_count"]) == (False, 8, 7)
    assert checked["problems"] == [
        {"custom_id": result["custom_id"], **result["error"]} for result in results
    ]


def test_the_first_twenty_are_told_and_all_are_counted(api: Caller) -> None:
    items = [{"custom_id": str(n), "image": f"s3://other/{n}"} for n in range(30)]
    checked = check(api, {**JOB, "items": items}).get_json()
    assert checked["problem_count"] == 30
    assert [problem["custom_id"] for problem in checked["problems"]] == [str(n) for n in range(20)]


@pytest.mark.parametrize(
    "change",
    [
        {"items": []},
        {"items": [ITEM, ITEM]},
        {"items": [{"custom_id": "a"}]},
        {"operation": "identify"},
        {"model": "Nobody"},
        {"options": {"max_faces": 0}},
        {"options": {"attributes": ["age"]}},
        {"collection_id": NOBODYS},
        {"webhook_endpoint_id": NOBODYS},
        {"unknown": 1},
    ],
    ids="-".join,
)
def test_what_would_be_refused_is_refused_in_the_same_way(
    api: Caller, change: dict[str, Any]
) -> None:
    body = {**JOB, **change}
    checked, submitted = check(api, body), api.post("/jobs", json=body)
    assert checked.status_code == submitted.status_code >= 400
    differing = {"request_id"}
    assert {k: v for k, v in checked.get_json().items() if k not in differing} == {
        k: v for k, v in submitted.get_json().items() if k not in differing
    }


def test_to_check_an_enrolment_needs_the_right_to_enrol(api: Caller) -> None:
    body = {
        "operation": "enrol",
        "collection_id": str(make_collection(api.tenant_id).id),
        "items": [{**ITEM, "subject": "s"}],
    }
    assert check(api.with_scopes(Scope.JOBS_WRITE), body).status_code == 403
    assert check(api.with_scopes(Scope.JOBS_READ), JOB).status_code == 403


def test_a_check_knows_nothing_of_another_tenant(api: Caller, stranger: Caller) -> None:
    collection = make_collection(stranger.tenant_id)
    body = {**JOB, "operation": "identify", "collection_id": str(collection.id)}
    assert check(api, body).status_code == 404


@pytest.mark.parametrize("value", ["false", "0"])
def test_who_says_false_submits(api: Caller, value: str) -> None:
    assert api.post(f"/jobs?validate_only={value}", json=JOB).status_code == 202


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("validate_only=maybe", "/validate_only"),
        ("validate_only=", "/validate_only"),
        ("validateOnly=true", "/validateOnly"),
        ("dry_run=true", "/dry_run"),
        ("validate_only=false&dry_run=true", "/dry_run"),
    ],
)
def test_who_misspells_it_submits_nothing(api: Caller, query: str, pointer: str) -> None:
    response = api.post(f"/jobs?{query}", json=JOB, headers={"Idempotency-Key": "key"})
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["pointer"] == pointer
    assert rows(api.tenant_id) == 0
