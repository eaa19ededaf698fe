"""What a tenant may have, all its keys together; what is too much; and what it uses."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from werkzeug.test import TestResponse

from app import create_app
from app.config import load_settings
from app.database.transactions import tenant_transaction
from app.domain.names import Scope
from app.domain.tenant_limits import Limit
from app.services.tenancy.tenant_limits import set_limits
from tests.factories.callers import Caller
from tests.factories.images import png
from tests.factories.jobs import PLACE, close_item, make_job
from tests.factories.presigned import presign, send
from tests.support.processes import wait_until


def submit(
    caller: Caller, items: int = 1, *, place: str = PLACE, key: str | None = None
) -> TestResponse:
    listed = [{"custom_id": f"{n}", "image": f"{place}{n}.jpg"} for n in range(items)]
    headers = {"Idempotency-Key": key} if key else {}
    return caller.post("/jobs", json={"operation": "detect", "items": listed}, headers=headers)


def upload(caller: Caller) -> TestResponse:
    return caller.post("/images", data={"file": (BytesIO(png()), "a.png")})


def refusal(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def until_taken(send: Callable[[], TestResponse]) -> None:
    """Room is seen as soon as it is counted anew."""
    wait_until(lambda: send().status_code < HTTPStatus.BAD_REQUEST, seconds=20, what="room")


def test_a_job_too_many_is_refused_until_another_has_ended(api: Caller) -> None:
    set_limits(api.tenant_id, {Limit.JOBS_IN_FLIGHT: 2})
    first, second, third = (submit(api) for _ in range(3))
    assert (first.status_code, second.status_code) == (202, 202)
    assert refusal(third) == (429, "too_many_jobs")
    assert int(third.headers["Retry-After"]) >= 1
    api.post(f"/jobs/{first.get_json()['id']}/cancel")
    until_taken(lambda: submit(api))


def test_items_too_many_are_refused_until_others_are_done(api: Caller) -> None:
    set_limits(api.tenant_id, {Limit.ITEMS_WAITING: 5})
    first = submit(api, 3)
    refused = submit(api, 3)
    assert refusal(refused) == (429, "too_many_items_waiting")
    assert int(refused.headers["Retry-After"]) >= 1
    assert submit(api, 2).status_code == 202
    api.post(f"/jobs/{first.get_json()['id']}/cancel")
    until_taken(lambda: submit(api, 3))


def test_a_job_that_can_never_fit_is_not_told_to_come_back(api: Caller) -> None:
    set_limits(api.tenant_id, {Limit.ITEMS_WAITING: 2})
    refused = submit(api, 3)
    assert refusal(refused) == (422, "job_too_large")
    assert "Retry-After" not in refused.headers


def test_a_job_that_ends_with_its_submission_takes_no_room(api: Caller) -> None:
    set_limits(api.tenant_id, {Limit.JOBS_IN_FLIGHT: 1})
    hopeless = [submit(api, place="s3://nobodys/") for _ in range(3)]
    assert [answer.status_code for answer in hopeless] == [202] * 3
    assert submit(api).status_code == 202
    assert submit(api, place="s3://nobodys/").status_code == 202


def test_an_upload_too_many_is_refused_until_another_is_deleted(api: Caller) -> None:
    set_limits(api.tenant_id, {Limit.STORAGE_BYTES: 2 * len(png())})
    first, second, third = (upload(api) for _ in range(3))
    assert (first.status_code, second.status_code) == (201, 201)
    assert refusal(third) == (409, "storage_full")
    assert "DELETE /api/v1/images/ID" in third.get_json()["detail"]
    api.delete(f"/images/{first.get_json()['id']}")
    until_taken(lambda: upload(api))


def test_an_upload_that_goes_straight_to_s3_takes_the_same_room(api: Caller) -> None:
    first = presign(api, png())
    assert send(first, png()) == 200
    set_limits(api.tenant_id, {Limit.STORAGE_BYTES: len(png()) - 1})

    wanted = {"content_type": "image/png", "bytes": len(png())}

    def refused() -> bool:  # as soon as the limit is read anew
        return api.post("/images/presign", json=wanted).status_code == HTTPStatus.CONFLICT

    wait_until(refused, seconds=20, what="a refusal")
    assert refusal(api.post(f"/images/{first['id']}/complete")) == (409, "storage_full")


def test_a_redrive_takes_the_room_of_a_job(api: Caller) -> None:
    job_id = make_job(api.tenant_id, items=1)
    close_item(job_id, 0, error="no_face")
    api.post(f"/jobs/{job_id}/cancel")
    set_limits(api.tenant_id, {Limit.JOBS_IN_FLIGHT: 1})
    assert submit(api).status_code == 202

    def refused() -> bool:  # as soon as the limit is read anew
        answer = api.post(f"/jobs/{job_id}/redrive")
        return answer.status_code == HTTPStatus.TOO_MANY_REQUESTS

    wait_until(refused, seconds=20, what="a refusal")
    assert refusal(api.post(f"/jobs/{job_id}/redrive")) == (429, "too_many_jobs")


def test_a_tenants_keys_share_its_limits(api: Caller) -> None:
    amounts = {Limit.JOBS_IN_FLIGHT: 2, Limit.STORAGE_BYTES: 2 * len(png())}
    set_limits(api.tenant_id, amounts)
    keys = [api, *(api.with_scopes(Scope.JOBS_WRITE) for _ in range(3))]
    assert [submit(key).status_code for key in keys] == [202, 202, 429, 429]
    assert [upload(key).status_code for key in keys] == [201, 201, 409, 409]


def test_another_tenant_has_its_own(api: Caller, stranger: Caller) -> None:
    set_limits(api.tenant_id, {Limit.JOBS_IN_FLIGHT: 1})
    assert [submit(api).status_code for _ in range(2)] == [202, 429]
    assert [submit(stranger).status_code for _ in range(2)] == [202, 202]


def test_the_refusal_is_not_kept_for_its_idempotency_key(api: Caller) -> None:
    set_limits(api.tenant_id, {Limit.JOBS_IN_FLIGHT: 1})
    job = submit(api).get_json()
    assert submit(api, key="again").status_code == 429
    api.post(f"/jobs/{job['id']}/cancel")
    until_taken(lambda: submit(api, key="again"))


def test_an_operator_sets_how_often_a_tenant_may_ask(api: Caller) -> None:
    set_limits(api.tenant_id, {Limit.REQUESTS_PER_MINUTE: 2})
    other = api.with_scopes(Scope.JOBS_READ)
    answers = [api.get("/jobs"), other.get("/jobs"), other.get("/jobs")]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["RateLimit-Policy"].endswith('"tenant";q=2;w=60')


def test_what_is_used_is_shown_beside_each_limit(api: Caller) -> None:
    amounts = {Limit.JOBS_IN_FLIGHT: 9, Limit.REQUESTS_PER_MINUTE: 50}
    set_limits(api.tenant_id, amounts)
    submit(api, 3)
    submit(api, place="s3://nobodys/")
    upload(api)
    shown = api.with_scopes(Scope.WEBHOOKS_WRITE).get("/limits").get_json()["tenant"]
    settings = api.app.config["SETTINGS"]
    assert shown == {
        "jobs_in_flight": {"limit": 9, "used": 1},
        "items_waiting": {"limit": settings.max_items_waiting, "used": 3},
        "requests_per_minute": {"limit": 50, "used": 4},
        "storage_bytes": {"limit": settings.max_storage_bytes, "used": len(png())},
    }


def test_requests_that_nobody_limits_are_not_counted(api: Caller) -> None:
    free = Caller(create_app(load_settings(enable_api_rate_limiting=False)), api.tenant_id, api.key)
    shown = free.get("/limits").get_json()["tenant"]["requests_per_minute"]
    assert shown == {"limit": None, "used": None}


def test_submissions_at_once_pass_a_limit_by_those_under_way_at_most(api: Caller) -> None:
    most, at_once = 10, 6
    set_limits(api.tenant_id, {Limit.JOBS_IN_FLIGHT: most})
    with ThreadPoolExecutor(at_once) as pool:
        answers = list(pool.map(lambda _: submit(api).status_code, range(40)))
    assert most <= answers.count(202) < most + at_once
    assert set(answers) == {202, 429}


def test_a_process_learns_what_another_has_let_in(api: Caller) -> None:
    """Within a second, so that each lets in what is allowed once, if that long."""
    most = 3
    set_limits(api.tenant_id, {Limit.JOBS_IN_FLIGHT: most})
    sibling = Caller(create_app(load_settings()), api.tenant_id, api.key)
    assert submit(sibling).status_code == 202
    taken = [answer for answer in (submit(api) for _ in range(4)) if answer.status_code == 202]
    assert 1 <= len(taken) <= most
    wait_until(lambda: submit(sibling).status_code == 429, seconds=20, what="a refusal")
    jobs = api.get("/jobs").get_json()["data"]
    assert most <= len(jobs) <= 2 * most


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO tenant_limits (tenant_id, jobs_in_flight) VALUES (:id, 1000000)",
        "UPDATE tenant_limits SET jobs_in_flight = 1000000 WHERE tenant_id = :id",
        "DELETE FROM tenant_limits WHERE tenant_id = :id",
    ],
    ids=["insert", "update", "delete"],
)
def test_nobody_but_an_operator_changes_a_limit(api: Caller, statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        tenant_transaction(api.tenant_id) as session,
    ):
        session.execute(text(statement), {"id": api.tenant_id})


def test_no_request_changes_a_limit(api: Caller, app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if "limits" in rule.rule]
    assert [rule.methods for rule in rules] == [{"GET", "HEAD", "OPTIONS"}]
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        assert api.send(method, "/limits", json={"jobs_in_flight": 9}).status_code == 405
