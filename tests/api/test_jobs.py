from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from app.database.transactions import tenant_transaction
from app.domain.states import Operation
from app.models.job import Job
from app.web.prefer import preferred_wait_s
from tests.factories.callers import Caller
from tests.factories.galleries import make_collection
from tests.factories.jobs import PLACE, close_item, lease_shard, make_job
from tests.support.processes import wait_until

ITEM = {"custom_id": "a", "image": f"{PLACE}a.jpg"}
JOB = {"operation": "detect", "items": [ITEM]}
NOBODYS = "01890000-0000-7000-8000-000000000000"


def test_a_job_is_accepted_and_says_where_and_when_to_look(api: Caller) -> None:
    response = api.post("/jobs", json={**JOB, "metadata": {"k": "v"}})
    assert response.status_code == 202
    job = response.get_json()
    assert response.headers["Location"] == f"/api/v1/jobs/{job['id']}"
    assert int(response.headers["Retry-After"]) >= 1
    assert (job["state"], job["operation"], job["priority"]) == ("queued", "detect", "interactive")
    assert job["metadata"] == {"k": "v"}
    assert job["counts"] == _counts(total=1, pending=1)
    assert job["finished_at"] is None


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"items": []}, "job_empty", "/items"),
        ({"items": [ITEM, ITEM]}, "custom_id_duplicate", "/items/1/custom_id"),
        ({"items": [{"custom_id": "a"}]}, "validation_failed", "/items/0/image"),
        ({"items": [{"custom_id": "a", "image": 7}]}, "validation_failed", "/items/0/image"),
        ({"operation": "identify"}, "validation_failed", "/collection_id"),
        ({"operation": "verify"}, "validation_failed", "/items/0/reference"),
        ({"model": "Nobody"}, "model_unavailable", "/model"),
        ({"model": ""}, "model_unavailable", "/model"),
        ({"model": "SFace@000000000000"}, "model_unavailable", "/model"),
        ({"options": {"max_faces": 0}}, "validation_failed", "/options/max_faces"),
        ({"options": {"rotation": "always"}}, "validation_failed", "/options/rotation"),
        ({"options": {"on_conflict": "take"}}, "validation_failed", "/options/on_conflict"),
        ({"options": {"on_changed": True}}, "validation_failed", "/options/on_changed"),
        ({"collection": "a", "collection_id": NOBODYS}, "validation_failed", "/collection"),
        ({"collection": ""}, "validation_failed", "/collection"),
    ],
)
def test_a_job_that_cannot_run_is_refused_with_a_code_and_a_pointer(
    api: Caller, change: dict[str, Any], code: str, pointer: str
) -> None:
    response = api.post("/jobs", json={**JOB, **change})
    assert response.status_code == 422
    assert response.get_json()["code"] == code
    assert response.get_json()["errors"][0]["pointer"] == pointer
    assert api.get("/jobs").get_json()["data"] == []


def test_a_job_names_its_collection_by_id_or_by_name(api: Caller, stranger: Caller) -> None:
    collection = make_collection(api.tenant_id, name="Jos\u00e9")
    make_collection(stranger.tenant_id, name="Jos\u00e9")
    for named in ({"collection_id": str(collection.id)}, {"collection": "Jose\u0301"}):
        job = api.post("/jobs", json={**JOB, **named, "operation": "identify"}).get_json()
        assert job["collection_id"] == str(collection.id)


def test_a_job_shows_what_it_does_with_conflicts_and_changes(api: Caller) -> None:
    wanted = {"on_conflict": "move", "on_changed": "replace"}
    collection = make_collection(api.tenant_id)
    items = [{**ITEM, "subject": "ada"}]
    enrol = {"operation": "enrol", "collection_id": str(collection.id), "items": items}
    chosen = api.post("/jobs", json={**enrol, "options": wanted}).get_json()["options"]
    by_default = api.post("/jobs", json=enrol).get_json()["options"]
    assert {name: chosen[name] for name in wanted} == wanted
    assert (by_default["on_conflict"], by_default["on_changed"]) == ("keep", "add")


def test_an_option_that_means_nothing_for_an_operation_is_pointed_at(api: Caller) -> None:
    job = {**JOB, "options": {"on_conflict": "move"}}
    for query in ("", "?validate_only=true"):
        response = api.post(f"/jobs{query}", json=job)
        (error,) = response.get_json()["errors"]
        assert (response.status_code, error["pointer"]) == (422, "/options/on_conflict")
        assert error["detail"] == "detect enrols nobody: leave it out, or keep"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"collection_id": NOBODYS}, "/collection_id"),
        ({"collection": "nobody's"}, "/collection"),
        ({"webhook_endpoint_id": NOBODYS}, "/webhook_endpoint_id"),
    ],
)
def test_an_unknown_id_in_a_job_is_not_found_and_pointed_at(
    api: Caller, change: dict[str, Any], pointer: str
) -> None:
    response = api.post("/jobs", json={**JOB, **change})
    assert (response.status_code, response.get_json()["code"]) == (404, "not_found")
    assert response.get_json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ({"image": "s3://other/a.jpg"}, "bucket_forbidden"),
        ({"image": "a.jpg"}, "location_invalid"),
        ({"image": ""}, "location_invalid"),
        ({"image": f"{PLACE}../a.jpg"}, "location_invalid"),
        ({"image": PLACE + "x" * 3000}, "location_invalid"),
        ({"image_id": NOBODYS}, "image_not_found"),
    ],
)
def test_an_image_that_cannot_be_read_fails_its_item_alone(
    api: Caller, source: dict[str, str], code: str
) -> None:
    body = {**JOB, "items": [{"custom_id": "wrong", **source}, {**ITEM, "custom_id": "right"}]}
    response = api.post("/jobs", json=body)
    job = response.get_json()
    assert (response.status_code, job["state"]) == (202, "queued")
    assert job["counts"] == _counts(total=2, pending=1, failed=1)
    assert job["errors_by_code"] == {code: 1}
    wrong, right = api.get(f"/jobs/{job['id']}/items").get_json()["data"]
    assert (wrong["custom_id"], wrong["state"], wrong["error"]["code"]) == ("wrong", "failed", code)
    assert (right["custom_id"], right["state"], right["error"]) == ("right", "pending", None)


@pytest.mark.parametrize(
    ("subject", "code"),
    [("nobody", "subject_unknown"), ("", "subject_invalid"), ("x" * 201, "subject_invalid")],
)
def test_a_claim_that_cannot_be_looked_at_fails_its_item_alone(
    api: Caller, subject: str, code: str
) -> None:
    collection = make_collection(api.tenant_id)
    body = {
        "operation": "verify",
        "collection_id": str(collection.id),
        "items": [{**ITEM, "subject": subject}, {**ITEM, "custom_id": "b", "reference": "s3://"}],
    }
    job = api.post("/jobs", json=body).get_json()
    assert job["errors_by_code"] == {code: 1, "location_invalid": 1}


def test_a_job_of_which_nothing_can_be_done_has_ended_when_it_is_answered(api: Caller) -> None:
    body = {**JOB, "items": [{"custom_id": "a", "image_id": NOBODYS}]}
    response = api.post("/jobs", json=body)
    job = response.get_json()
    assert (response.status_code, job["state"]) == (202, "succeeded")
    assert job["finished_at"] is not None
    assert "Retry-After" not in response.headers
    assert job == api.get(f"/jobs/{job['id']}").get_json()


def test_who_waits_for_such_a_job_is_answered_at_once(api: Caller) -> None:
    body = {**JOB, "items": [{"custom_id": "a", "image": "s3://other/a.jpg"}]}
    response = api.post("/jobs", json=body, headers={"Prefer": "wait=30"})
    assert (response.status_code, response.get_json()["state"]) == (200, "succeeded")


def test_a_refusal_names_the_items_as_the_client_names_them(api: Caller) -> None:
    items = [{"custom_id": "photo 7", "image": 7}, {"image": f"{PLACE}a.jpg"}]
    told = api.post("/jobs", json={**JOB, "items": items}).get_json()["errors"]
    assert told[0]["detail"].endswith('(custom_id "photo 7")')
    assert told[1]["detail"] == "Missing data for required field."


def test_a_model_may_be_named_as_answers_name_it(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    body = {**JOB, "collection_id": str(collection.id), "model": collection.model}
    assert api.post("/jobs", json=body).get_json()["model"] == collection.model


def test_a_job_of_too_many_items_is_refused(api: Caller) -> None:
    items = [{"custom_id": str(number), "image": f"{PLACE}a.jpg"} for number in range(10_001)]
    response = api.post("/jobs", json={**JOB, "items": items})
    assert response.get_json()["code"] == "job_too_large"
    assert response.get_json()["errors"][0]["pointer"] == "/items"


@pytest.mark.parametrize(
    ("named", "notify"),
    [({}, True), ({"webhook_endpoint_id": None}, False)],
)
def test_absent_means_every_webhook_and_null_means_none(
    api: Caller, named: dict[str, Any], notify: bool
) -> None:
    job_id = UUID(api.post("/jobs", json={**JOB, **named}).get_json()["id"])
    with tenant_transaction(api.tenant_id) as session:
        job = session.scalars(select(Job).where(Job.id == job_id)).one()
    assert (job.notify_webhooks, job.webhook_endpoint_id) == (notify, None)


def test_one_webhook_endpoint_can_be_chosen(api: Caller) -> None:
    endpoint = api.post("/webhook-endpoints", json={"url": "https://example.org/hook"}).get_json()
    body = {**JOB, "webhook_endpoint_id": endpoint["id"]}
    assert api.post("/jobs", json=body).status_code == 202


def test_enrolling_makes_the_subjects_that_it_names(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    body = {
        "operation": "enrol",
        "collection_id": str(collection.id),
        "items": [{**ITEM, "subject": "p-1"}],
    }
    assert api.post("/jobs", json=body).status_code == 202
    subjects = api.get(f"/collections/{collection.id}/subjects").get_json()["data"]
    assert [subject["external_id"] for subject in subjects] == ["p-1"]


def test_counts_tell_what_waits_from_what_a_worker_holds(api: Caller) -> None:
    job_id = make_job(api.tenant_id, items=300)
    lease_shard(job_id)
    close_item(job_id, 0)
    close_item(job_id, 1, error="no_face")
    counts = api.get(f"/jobs/{job_id}").get_json()["counts"]
    assert counts == _counts(total=300, pending=44, processing=254, succeeded=1, failed=1)


def test_jobs_can_be_filtered_by_state_and_operation(api: Caller) -> None:
    done, waiting = make_job(api.tenant_id), make_job(api.tenant_id)
    collection = make_collection(api.tenant_id)
    other = make_job(api.tenant_id, operation=Operation.IDENTIFY, collection_id=collection.id)
    close_item(done, 0)
    assert _ids(api, "") == [str(other), str(waiting), str(done)]
    assert _ids(api, "?state=succeeded") == [str(done)]
    assert _ids(api, "?state=queued&operation=detect") == [str(waiting)]
    assert api.get("/jobs?state=lost").status_code == 422


def test_a_job_that_has_not_changed_answers_304(api: Caller) -> None:
    job_id = make_job(api.tenant_id)
    etag = api.get(f"/jobs/{job_id}").headers["ETag"]
    unchanged = api.get(f"/jobs/{job_id}", headers={"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    close_item(job_id, 0)
    changed = api.get(f"/jobs/{job_id}", headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag


@pytest.mark.parametrize("condition", [{"If-None-Match": '"x"'}, {"If-Match": '"x"'}])
def test_another_condition_is_answered_with_the_job(api: Caller, condition: dict[str, str]) -> None:
    job_id = make_job(api.tenant_id)
    response = api.get(f"/jobs/{job_id}", headers=condition)
    assert (response.status_code, response.get_json()["id"]) == (200, str(job_id))


def test_a_list_of_jobs_that_has_not_changed_answers_304(api: Caller) -> None:
    job_id = make_job(api.tenant_id)
    etag = api.get("/jobs").headers["ETag"]
    assert api.get("/jobs", headers={"If-None-Match": etag}).status_code == 304
    close_item(job_id, 0)
    assert api.get("/jobs", headers={"If-None-Match": etag}).status_code == 200


def test_only_a_job_that_runs_says_when_to_look_again(api: Caller) -> None:
    job_id = make_job(api.tenant_id)
    assert "Retry-After" in api.get(f"/jobs/{job_id}").headers
    close_item(job_id, 0)
    assert "Retry-After" not in api.get(f"/jobs/{job_id}").headers


def test_waiting_answers_200_when_the_job_ends_in_time(api: Caller) -> None:
    def submit() -> Any:
        return api.post("/jobs", json=JOB, headers={"Prefer": "wait=30"})

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(submit)
        wait_until(lambda: _ids(api, "") != [], what="the submitted job")
        close_item(UUID(_ids(api, "")[0]), 0)
        response = answer.result(timeout=30)
    assert response.status_code == 200
    assert response.headers["Preference-Applied"] == "wait=30"
    assert response.get_json()["state"] == "succeeded"


@pytest.mark.parametrize(
    ("preference", "seconds"),
    [
        ("wait=9", 9),
        ('respond-async , WAIT = "9"; because=yes', 9),
        ("wait=61", 60),
        ("wait=" + "9" * 5000, 60),
        ("await=9", 0),
        ("wait=9x", 0),
        ("wait=9.5", 0),
    ],
)
def test_how_long_a_client_would_wait(app: Flask, preference: str, seconds: int) -> None:
    with app.test_request_context(headers={"Prefer": preference}):
        assert preferred_wait_s() == seconds


def test_waiting_answers_202_when_it_does_not(api: Caller) -> None:
    response = api.post("/jobs", json=JOB, headers={"Prefer": "respond-async, wait=1"})
    assert response.status_code == 202
    assert response.headers["Location"].endswith(response.get_json()["id"])


@pytest.mark.parametrize(
    "preference", ["wait", "wait=-1", "wait=soon", "handling=strict", "=", ","]
)
def test_a_preference_that_says_nothing_sensible_is_let_go(api: Caller, preference: str) -> None:
    assert api.post("/jobs", json=JOB, headers={"Prefer": preference}).status_code == 202


def test_a_replay_is_the_202_of_the_first_time_and_does_not_wait(api: Caller) -> None:
    headers = {"Idempotency-Key": "key-1"}
    job_id = api.post("/jobs", json=JOB, headers=headers).get_json()["id"]
    close_item(UUID(job_id), 0)
    again = api.post("/jobs", json=JOB, headers={**headers, "Prefer": "wait=30"})
    assert (again.status_code, again.get_json()["state"]) == (202, "queued")


def test_canceling_closes_what_nobody_holds(api: Caller) -> None:
    job_id = make_job(api.tenant_id, items=3)
    close_item(job_id, 0)
    response = api.post(f"/jobs/{job_id}/cancel")
    assert response.status_code == 202
    job = response.get_json()
    assert job["state"] == "canceled"
    assert job["counts"] == _counts(total=3, succeeded=1, canceled=2)
    states = [row["state"] for row in api.get(f"/jobs/{job_id}/items").get_json()["data"]]
    assert states == ["succeeded", "canceled", "canceled"]


def test_canceling_lets_a_worker_finish_its_batch(api: Caller) -> None:
    job_id = make_job(api.tenant_id)
    lease_shard(job_id)
    assert api.post(f"/jobs/{job_id}/cancel").get_json()["state"] == "cancelling"


def test_a_job_that_has_ended_cannot_be_canceled(api: Caller) -> None:
    job_id = make_job(api.tenant_id)
    close_item(job_id, 0)
    response = api.post(f"/jobs/{job_id}/cancel")
    assert (response.status_code, response.get_json()["code"]) == (409, "job_already_terminal")


def test_many_clients_submit_at_once(api: Caller) -> None:
    ready = threading.Barrier(8)

    def submit(number: int) -> int:
        ready.wait()
        return api.post("/jobs", json={**JOB, "metadata": {"n": number}}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(submit, range(8))) == {202}
    assert len(_ids(api, "")) == 8


def _ids(api: Caller, query: str) -> list[str]:
    return [job["id"] for job in api.get(f"/jobs{query}").get_json()["data"]]


def _counts(**given: int) -> dict[str, int]:
    names = ("total", "pending", "processing", "succeeded", "failed", "canceled")
    return dict.fromkeys(names, 0) | given


def test_a_job_says_how_many_items_failed_with_which_code(api: Caller) -> None:
    job_id = make_job(api.tenant_id, items=4)
    assert api.get(f"/jobs/{job_id}").get_json()["errors_by_code"] == {}
    close_item(job_id, 0)
    for seq, code in enumerate(("no_face", "no_face", "image_corrupt"), start=1):
        close_item(job_id, seq, error=code)
    told = {"no_face": 2, "image_corrupt": 1}
    assert api.get(f"/jobs/{job_id}").get_json()["errors_by_code"] == told
    assert api.get("/jobs").get_json()["data"][0]["errors_by_code"] == told
    assert api.post("/jobs", json=JOB).get_json()["errors_by_code"] == {}


def test_a_job_that_has_ended_can_be_deleted(api: Caller) -> None:
    job_id = make_job(api.tenant_id)
    close_item(job_id, 0)
    response = api.delete(f"/jobs/{job_id}")
    assert (response.status_code, response.get_json()["id"]) == (202, str(job_id))
    assert api.get(f"/jobs/{job_id}").status_code == 404
    assert api.delete(f"/jobs/{job_id}").status_code == 404


def test_a_job_that_goes_on_cannot_be_deleted(api: Caller) -> None:
    job_id = make_job(api.tenant_id)
    response = api.delete(f"/jobs/{job_id}")
    assert (response.status_code, response.get_json()["code"]) == (409, "job_not_terminal")
    assert f"POST /api/v1/jobs/{job_id}/cancel" in response.get_json()["detail"]


def test_another_tenants_job_cannot_be_deleted(api: Caller, stranger: Caller) -> None:
    job_id = make_job(api.tenant_id)
    close_item(job_id, 0)
    assert stranger.delete(f"/jobs/{job_id}").status_code == 404
    assert api.get(f"/jobs/{job_id}").status_code == 200
