from __future__ import annotations

import logging
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.factories.callers import Caller
from tests.factories.jobs import PLACE


def _line(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    (record,) = [record for record in caplog.records if record.name == "access"]
    assert isinstance(record.msg, dict)
    return record.msg


def test_each_request_is_one_line_with_its_ids(
    api: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="access"):
        api.get("/jobs?limit=3", headers={"X-Request-Id": "request-0001"})
    line = _line(caplog)
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/jobs", 200)
    assert line["request_id"] == "request-0001"
    assert line["tenant_id"] == str(api.tenant_id)
    assert line["duration_ms"] > 0


@pytest.mark.parametrize("rest", ["", "/faces", "/no-such-thing", "/"])
def test_what_a_client_calls_a_person_is_in_no_line(
    api: Caller, caplog: pytest.LogCaptureFixture, rest: str
) -> None:
    path = f"/collections/{api.tenant_id}/subjects/by-external-id/"
    with caplog.at_level(logging.INFO, logger="access"):
        api.get(f"{path}ada/lovelace{rest}")

    assert _line(caplog)["path"] == f"/api/v1{path}…"


def test_a_submission_s_line_says_which_job_came_of_it(
    api: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    item = {"custom_id": "a", "image": f"{PLACE}a.jpg"}
    with caplog.at_level(logging.INFO, logger="access"):
        answer = api.post("/jobs", json={"operation": "detect", "items": [item]})

    assert _line(caplog)["job_id"] == answer.get_json()["id"]


def test_no_key_is_ever_logged(api: Caller, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        api.get("/jobs")
        api.post("/api-keys", json={"name": "n", "scopes": ["jobs:read"]})
    secret = api.key.split("_", 2)[2]
    assert not any(secret in str(record.msg) for record in caplog.records)


def test_a_stranger_is_not_logged_as_whoever_came_before(
    api: Caller, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    api.get("/jobs")
    with caplog.at_level(logging.INFO, logger="access"):
        caplog.clear()
        client.get("/api/v1/jobs")
    assert "tenant_id" not in _line(caplog)
