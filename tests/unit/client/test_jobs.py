from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from facequeue import Invalid, JobNotSucceeded, StillRunning, submit_and_wait
from facequeue.core.models import ItemCreate, JobCreate

from .conftest import job

REQUEST = {"operation": "detect", "items": [{"custom_id": "a", "image": "s3://b/a.jpg"}]}


def test_a_job_that_ends_while_the_answer_is_held_is_one_request(client_with: Any) -> None:
    client, canned = client_with(httpx.Response(200, json=job("succeeded")))

    assert submit_and_wait(client, REQUEST).state == "succeeded"
    assert canned.requests[0].headers["Prefer"] == "wait=30"


def test_a_job_that_takes_longer_is_looked_at_when_the_api_says(client_with: Any) -> None:
    later = {"Retry-After": "5"}
    client, canned = client_with(
        httpx.Response(202, json=job(), headers=later),
        httpx.Response(200, json=job("processing"), headers={"Retry-After": "1"}),
        httpx.Response(200, json=job("succeeded")),
    )
    naps: list[float] = []

    assert submit_and_wait(client, REQUEST, sleep=naps.append).state == "succeeded"
    assert naps == [5.0, 1.0]
    assert canned.requests[1].url.path == f"/api/v1/jobs/{job()['id']}"


def test_the_request_may_be_a_model(client_with: Any) -> None:
    client, canned = client_with(httpx.Response(200, json=job("succeeded")))
    items = [ItemCreate(custom_id="a", image="s3://b/a.jpg")]
    submit_and_wait(client, JobCreate(operation="detect", items=items))

    assert json.loads(canned.requests[0].content) == REQUEST


def test_a_submit_that_was_cut_is_the_same_job(client_with: Any) -> None:
    cut = httpx.RemoteProtocolError("Server disconnected without sending a response.")
    client, canned = client_with(cut, httpx.Response(200, json=job("succeeded")))
    submit_and_wait(client, REQUEST)

    first, second = (request.headers["Idempotency-Key"] for request in canned.requests)
    assert first == second


def test_two_calls_are_two_jobs_unless_they_share_a_key(client_with: Any) -> None:
    client, canned = client_with(*[httpx.Response(200, json=job("succeeded"))] * 4)
    for key in (None, None, "mine", "mine"):
        submit_and_wait(client, REQUEST, idempotency_key=key)

    one, two, *mine = (request.headers["Idempotency-Key"] for request in canned.requests)
    assert one != two
    assert mine == ["mine", "mine"]


@pytest.mark.parametrize("state", ["failed", "canceled", "expired"])
def test_a_job_that_ends_otherwise_is_an_error_with_the_job(client_with: Any, state: str) -> None:
    client, _ = client_with(httpx.Response(200, json=job(state)))

    with pytest.raises(JobNotSucceeded, match=f"ended as {state}") as error:
        submit_and_wait(client, REQUEST)
    assert error.value.job.state == state


def test_the_wait_ends_with_its_time(client_with: Any) -> None:
    client, canned = client_with(httpx.Response(202, json=job("processing")))

    with pytest.raises(StillRunning, match="still processing"):
        submit_and_wait(client, REQUEST, timeout=0)
    assert canned.requests[0].headers["Prefer"] == "wait=0"


def test_a_refusal_is_typed(client_with: Any) -> None:
    client, _ = client_with(httpx.Response(422, json={"code": "validation_failed"}))

    with pytest.raises(Invalid):
        submit_and_wait(client, REQUEST)
