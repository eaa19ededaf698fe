"""What failed of a job is tried again as a job of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.database.transactions import tenant_transaction
from app.domain.identifiers import new_id
from app.domain.names import Scope
from app.domain.states import Operation
from app.models.job import Job
from tests.factories.callers import BASE, Caller
from tests.factories.galleries import make_collection
from tests.factories.jobs import PLACE, close_item, lease_shard, make_job

IDS = {"id", "created_at", "started_at", "finished_at", "expires_at", "redrive_of", "redriven_by"}


def failed_job(api: Caller, *codes: str | None, **fields: Any) -> UUID:
    """A job that has ended, whose items ended with these codes (None: well)."""
    job_id = make_job(api.tenant_id, items=len(codes), **fields)
    for seq, code in enumerate(codes):
        close_item(job_id, seq, error=code)
    return job_id


def redrive(api: Caller, job_id: object, *codes: str, **request: Any) -> TestResponse:
    if codes:
        request["json"] = {"codes": list(codes)}
    return api.post(f"/jobs/{job_id}/redrive", **request)


def names(api: Caller, job_id: object) -> list[str]:
    items = api.get(f"/jobs/{job_id}/items").get_json()["data"]
    return [item["custom_id"] for item in items]


def row(api: Caller, job_id: object) -> Job:
    with tenant_transaction(api.tenant_id) as session:
        return session.scalars(select(Job).where(Job.id == UUID(str(job_id)))).one()


def test_failed_items_become_a_job_of_their_own(api: Caller) -> None:
    job_id = failed_job(api, None, "no_face", None, "storage_unavailable", metadata={"k": "v"})

    response = redrive(api, job_id)

    job = response.get_json()
    assert response.status_code == 202
    assert response.headers["Location"] == f"{BASE}/jobs/{job['id']}"
    assert int(response.headers["Retry-After"]) >= 1
    assert (job["state"], job["counts"]["total"], job["counts"]["pending"]) == ("queued", 2, 2)
    assert job["errors_by_code"] == {}
    assert names(api, job["id"]) == ["item-1", "item-3"]
    assert job == api.get(f"/jobs/{job['id']}").get_json()


def test_the_two_jobs_name_each_other(api: Caller) -> None:
    job_id = failed_job(api, "no_face")

    first, second = (redrive(api, job_id).get_json()["id"] for _ in range(2))

    old = api.get(f"/jobs/{job_id}").get_json()
    assert (old["redrive_of"], old["redriven_by"]) == (None, [first, second])
    new = api.get(f"/jobs/{second}").get_json()
    assert (new["redrive_of"], new["redriven_by"]) == (str(job_id), [])


def test_a_job_remembers_its_last_twenty_redrives(api: Caller) -> None:
    job_id = failed_job(api, "no_face")
    made = [redrive(api, job_id).get_json()["id"] for _ in range(22)]
    assert api.get(f"/jobs/{job_id}").get_json()["redriven_by"] == made[2:]


def test_only_items_of_the_codes_that_are_named_are_tried_again(api: Caller) -> None:
    job_id = failed_job(api, "no_face", "image_corrupt", "storage_unavailable", "image_corrupt")
    job = redrive(api, job_id, "image_corrupt", "storage_unavailable").get_json()
    assert names(api, job["id"]) == ["item-1", "item-2", "item-3"]
    assert job["counts"]["total"] == 3


def test_the_new_job_is_all_that_the_old_one_was(api: Caller) -> None:
    endpoint = api.post("/webhook-endpoints", json={"url": "https://example.org/h"}).get_json()
    submitted = api.post(
        "/jobs",
        json={
            "operation": "identify",
            "collection_id": str(make_collection(api.tenant_id).id),
            "items": [{"custom_id": "a", "image": f"{PLACE}a.jpg"}],
            "options": {"top_k": 2, "min_quality": 0.3, "rotation": "full"},
            "webhook_endpoint_id": endpoint["id"],
            "metadata": {"batch": 7},
        },
    ).get_json()
    close_item(UUID(submitted["id"]), 0, error="no_face")

    job = redrive(api, submitted["id"]).get_json()

    assert {name: job[name] for name in job.keys() - IDS} == {
        name: submitted[name] for name in submitted.keys() - IDS
    }
    old, new = row(api, submitted["id"]), row(api, job["id"])
    assert (new.webhook_endpoint_id, new.notify_webhooks) == (UUID(endpoint["id"]), True)
    assert new.options == old.options


def test_a_job_that_tells_nobody_is_redriven_as_one(api: Caller) -> None:
    item = {"custom_id": "a", "image": f"{PLACE}a.jpg"}
    body = {"operation": "detect", "items": [item], "webhook_endpoint_id": None}
    job_id = api.post("/jobs", json=body).get_json()["id"]
    close_item(UUID(job_id), 0, error="no_face")
    assert row(api, redrive(api, job_id).get_json()["id"]).notify_webhooks is False


def test_an_endpoint_that_was_deleted_since_stands_in_nobodys_way(api: Caller) -> None:
    endpoint = api.post("/webhook-endpoints", json={"url": "https://example.org/h"}).get_json()
    item = {"custom_id": "a", "image": f"{PLACE}a.jpg"}
    body = {"operation": "detect", "items": [item], "webhook_endpoint_id": endpoint["id"]}
    job_id = api.post("/jobs", json=body).get_json()["id"]
    close_item(UUID(job_id), 0, error="no_face")
    api.delete(f"/webhook-endpoints/{endpoint['id']}")
    assert redrive(api, job_id).status_code == 202


def test_a_redriven_job_can_be_redriven(api: Caller) -> None:
    first = redrive(api, failed_job(api, "no_face")).get_json()["id"]
    close_item(UUID(first), 0, error="no_face")
    second = redrive(api, first).get_json()
    assert second["redrive_of"] == first
    assert names(api, second["id"]) == ["item-0"]


def test_the_same_key_redrives_once(api: Caller) -> None:
    job_id, headers = failed_job(api, "no_face"), {"Idempotency-Key": "again"}
    first, second = (redrive(api, job_id, headers=headers) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.get_json() == second.get_json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(api.get(f"/jobs/{job_id}").get_json()["redriven_by"]) == 1


def test_the_same_key_with_other_codes_is_another_request(api: Caller) -> None:
    job_id, headers = failed_job(api, "no_face", "image_corrupt"), {"Idempotency-Key": "again"}
    redrive(api, job_id, "no_face", headers=headers)
    response = redrive(api, job_id, "image_corrupt", headers=headers)
    assert response.get_json()["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    "begin", [lambda _: None, lease_shard], ids=["that waits", "that a worker holds"]
)
def test_a_job_that_has_not_ended_is_not_redriven(api: Caller, begin: Any) -> None:
    job_id = make_job(api.tenant_id, items=2)
    close_item(job_id, 0, error="no_face")
    begin(job_id)
    response = redrive(api, job_id)
    assert (response.status_code, response.get_json()["code"]) == (409, "job_not_terminal")
    assert "wait for its end" in response.get_json()["detail"]


def test_a_job_that_was_canceled_is_redriven_with_what_had_failed(api: Caller) -> None:
    job_id = make_job(api.tenant_id, items=3)
    close_item(job_id, 1, error="no_face")
    api.post(f"/jobs/{job_id}/cancel")
    assert names(api, redrive(api, job_id).get_json()["id"]) == ["item-1"]


def test_a_job_of_which_nothing_failed_is_not_redriven(api: Caller) -> None:
    response = redrive(api, failed_job(api, None))
    problem = response.get_json()
    assert (response.status_code, problem["code"]) == (409, "job_nothing_to_redrive")
    assert problem["detail"] == "No item of the job failed: there is nothing to try again"


def test_who_names_other_codes_than_failed_is_told_which_did(api: Caller) -> None:
    response = redrive(api, failed_job(api, "no_face", "image_corrupt"), "low_quality")
    problem = response.get_json()
    assert (response.status_code, problem["code"]) == (409, "job_nothing_to_redrive")
    assert problem["detail"] == (
        "No item of the job failed with low_quality; those that failed have image_corrupt, no_face"
    )
    assert len(api.get("/jobs").get_json()["data"]) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"codes": []}, "/codes"),
        ({"codes": "no_face"}, "/codes"),
        ({"codes": [7]}, "/codes/0"),
        ({"codes": ["no_face"] * 51}, "/codes"),
        ({"codes": [""]}, "/codes/0"),
        ({"code": "no_face"}, "/code"),
    ],
    ids=["none", "a text", "a number", "too many", "an empty one", "another name"],
)
def test_codes_that_are_none_are_pointed_at(
    api: Caller, body: dict[str, Any], pointer: str
) -> None:
    response = api.post(f"/jobs/{failed_job(api, 'no_face')}/redrive", json=body)
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("body", [{}, {"json": {}}], ids=["no body", "an empty object"])
def test_without_codes_all_are_tried_again(api: Caller, body: dict[str, Any]) -> None:
    assert redrive(api, failed_job(api, "no_face", "x"), **body).get_json()["counts"]["total"] == 2


def test_a_job_that_is_not_there_is_not_found(api: Caller, stranger: Caller) -> None:
    deleted = failed_job(api, "no_face")
    api.delete(f"/jobs/{deleted}")
    for job_id in (new_id(), deleted, failed_job(stranger, "no_face")):
        assert redrive(api, job_id).status_code == 404


def test_to_enrol_again_needs_the_right_to_enrol(api: Caller) -> None:
    collection_id = make_collection(api.tenant_id).id
    enrol = {"operation": Operation.ENROL, "collection_id": collection_id, "subject": "s"}
    enrolment, detection = failed_job(api, "no_face", **enrol), failed_job(api, "no_face")

    submitter = api.with_scopes(Scope.JOBS_WRITE)
    assert redrive(submitter, enrolment).get_json()["code"] == "forbidden"
    assert redrive(submitter, detection).status_code == 202
    both = api.with_scopes(Scope.JOBS_WRITE, Scope.COLLECTIONS_WRITE)
    assert redrive(both, enrolment).status_code == 202


def test_to_redrive_needs_the_right_to_submit(api: Caller) -> None:
    response = redrive(api.with_scopes(Scope.JOBS_READ), failed_job(api, "no_face"))
    assert (response.status_code, response.get_json()["code"]) == (403, "forbidden")


def test_a_job_whose_collection_was_deleted_says_so(api: Caller) -> None:
    collection_id = make_collection(api.tenant_id).id
    job_id = failed_job(api, "no_face", operation=Operation.IDENTIFY, collection_id=collection_id)
    api.delete(f"/collections/{collection_id}")
    response = redrive(api, job_id)
    assert (response.status_code, response.get_json()["code"]) == (409, "collection_deleted")


def test_who_waits_is_answered_when_the_new_job_has_ended(api: Caller) -> None:
    item = {"custom_id": "a", "image_id": str(new_id())}
    job_id = api.post("/jobs", json={"operation": "detect", "items": [item]}).get_json()["id"]
    response = redrive(api, job_id, headers={"Prefer": "wait=30"})
    assert (response.status_code, response.get_json()["state"]) == (200, "succeeded")
    assert response.get_json()["errors_by_code"] == {"image_not_found": 1}


def test_small_ones_are_interactive_and_large_ones_are_not(api: Caller) -> None:
    large = redrive(api, failed_job(api, *["no_face"] * 17)).get_json()
    small = redrive(api, failed_job(api, *["no_face"] * 16)).get_json()
    assert (large["priority"], small["priority"]) == ("bulk", "interactive")


def test_clients_that_redrive_at_once_all_get_a_job_and_all_are_linked(api: Caller) -> None:
    job_id = failed_job(api, "no_face")
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: redrive(api, job_id).get_json()["id"], range(4)))
    assert sorted(api.get(f"/jobs/{job_id}").get_json()["redriven_by"]) == sorted(made)


def test_a_redrive_is_on_record_without_words_of_the_clients(api: Caller) -> None:
    job_id = failed_job(api, "no_face", "image_corrupt")
    made = redrive(api, job_id, "no_face", "Ada Lovelace").get_json()["id"]
    event = api.get("/audit-events").get_json()["data"][0]
    assert (event["action"], event["target_id"]) == ("job.redriven", str(job_id))
    assert event["detail"] == {"job_id": made, "items": 1, "codes": ["no_face"]}
