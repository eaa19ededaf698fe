"""A slow request is a warning, in the one line that each request has."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from app.config import Settings
from app.database.slow_statements import log_slow_statements
from tests.factories.callers import Caller
from tests.factories.jobs import PLACE
from tests.support.processes import wait_until


@pytest.fixture
def limit(app: Flask, settings: Settings) -> Iterator[Callable[[float], None]]:
    """Lets everything count as slow that takes longer."""

    def set_limit(seconds: float) -> None:
        app.config["SETTINGS"] = settings.model_copy(update={"slow_request_seconds": seconds})
        log_slow_statements(seconds)

    yield set_limit
    app.config["SETTINGS"] = settings
    log_slow_statements(settings.slow_statement_seconds)


def lines(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    found = [r.msg | {"level": r.levelname} for r in caplog.records if isinstance(r.msg, dict)]
    return [line for line in found if line["event"] == event]


def submit(api: Caller, prefer: str = "") -> str:
    item = {"custom_id": "a", "image": f"{PLACE}a.jpg"}
    body = {"operation": "detect", "items": [item]}
    answer = api.post("/jobs", json=body, headers={"Prefer": prefer})
    return str(answer.get_json()["id"])


def test_a_slow_request_and_each_of_its_slow_statements_have_one_line(
    api: Caller, limit: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    limit(1e-9)
    job_id = submit(api)

    (line,) = lines(caplog, "request")
    assert (line["level"], line["slow"], line["job_id"]) == ("WARNING", True, job_id)
    assert line["route"] == "/api/v1/jobs"
    shapes = [line["statement"] for line in lines(caplog, "slow_statement")]
    assert len(shapes) == len(set(shapes)) > 3
    told = "".join(shapes)
    assert not any(value in told for value in (job_id, str(api.tenant_id), api.key, PLACE))


def test_what_a_client_asked_to_wait_is_not_slow(
    api: Caller, limit: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    limit(0.95)

    def waited_more_than_worked() -> bool:
        """A busy machine may work for longer than the limit: then it is slow, and asked again."""
        caplog.clear()
        submit(api, prefer="wait=1")
        (line,) = lines(caplog, "request")
        return bool(line["duration_ms"] - line["waited_ms"] < 950 < line["waited_ms"])

    with caplog.at_level(logging.INFO, logger="access"):
        wait_until(waited_more_than_worked, what="a request that was not slow")

    (line,) = lines(caplog, "request")
    assert "slow" not in line


def test_a_request_that_is_not_slow_is_no_warning(
    api: Caller, limit: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    limit(30)
    with caplog.at_level(logging.INFO, logger="access"):
        api.get("/jobs")

    (line,) = lines(caplog, "request")
    assert line["level"] == "INFO"
    assert "slow" not in line
