"""What really leaves for Sentry, from the processes themselves: errors, and nobody's data."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from app.adapters.task_queue import TaskQueue, make_celery
from app.config import Settings
from app.domain.names import TaskName
from scripts.stack.state import ROOT
from tests.integration.watching.conftest import Refusing
from tests.support.processes import Processes, wait_until
from tests.support.sentry_sink import Sink
from tests.support.served_api import served_api

pytestmark = [pytest.mark.stack, pytest.mark.slow]

# In all that a client can choose.
CANARY = "cafe" + uuid.uuid4().hex[4:]
SIGNED = f"https://objects.example/face.jpg?X-Amz-Signature={CANARY}"
HEADERS = {
    "X-Request-Id": f"request-{CANARY}",
    "X-Anything": CANARY,
    "User-Agent": CANARY,
    "Cookie": f"session={CANARY}",
    "sentry-trace": f"{CANARY}-{CANARY[:16]}-1",
    "baggage": f"sentry-trace_id={CANARY},sentry-environment={CANARY},sentry-sample_rate=1",
}


def call(api: Mapping[str, str], method: str, path: str, **request: Any) -> requests.Response:
    return requests.request(
        method,
        f"{api['FACEQUEUE_URL']}/api/v1{path}",
        headers={**HEADERS, "Authorization": f"Bearer {api['FACEQUEUE_API_KEY']}"},
        timeout=60,
        **request,
    )


def find_person(api: Mapping[str, str]) -> requests.Response:
    """A request whose statement has the name of a person among its parameters."""
    path = f"/collections/{uuid.uuid4()}/subjects/by-external-id/{CANARY}"
    return call(api, "GET", path, params={"cursor": CANARY})


def test_an_error_of_the_api_is_reported_without_what_the_client_sent(
    reporting: Processes, sink: Sink, refusing: Refusing
) -> None:
    with served_api(reporting) as api, refusing("SELECT ON collections, subjects"):
        item = {"custom_id": CANARY, "image": f"s3://{api['AWS_STORAGE_BUCKET_NAME']}/{CANARY}.jpg"}
        job = {"operation": "detect", "items": [item], "metadata": {"who": SIGNED}}
        assert find_person(api).status_code == 500
        with refusing("INSERT ON jobs"):
            assert call(api, "POST", "/jobs", json=job).status_code == 500
        key = api["FACEQUEUE_API_KEY"]
    wait_until(lambda: "ProgrammingError" in sink.errors(), what="the report")

    report = sink.reports()[0]
    assert report["environment"] == "trial"
    assert report["release"].startswith("facequeue@")
    assert report["transaction"].endswith("/subjects/by-external-id/<external_id:external_id>")
    assert report["tags"]["sqlstate"] == "42501"
    frames = report["exception"]["values"][-1]["stacktrace"]["frames"]
    assert frames
    assert sink.reports("transaction")
    assert CANARY not in sink.text
    assert key not in sink.text
    assert key.split("_", 2)[2] not in sink.text


def test_a_trace_tells_statements_without_values(reporting: Processes, sink: Sink) -> None:
    with served_api(reporting) as api:
        find_person(api)
        wait_until(lambda: len(sink.reports("transaction")) > 1, what="the trace")

    spans = [span for trace in sink.reports("transaction") for span in trace["spans"]]
    assert any(span.get("description", "").startswith("SELECT") for span in spans)
    assert CANARY not in sink.text


@pytest.mark.parametrize(
    ("worker", "task"),
    [("webhooks", TaskName.DELIVER_WEBHOOK), ("recognition", TaskName.RECOGNISE)],
)
def test_an_error_of_a_worker_is_reported_without_the_task_s_arguments(
    worker: str, task: TaskName, reporting: Processes, sink: Sink, settings: Settings
) -> None:
    reporting.ensure(worker)

    TaskQueue(make_celery(settings)).send(task, f"no-id-{CANARY}", f"no-id-{CANARY}")

    wait_until(lambda: "ValueError" in sink.errors(), seconds=90, what="the report")
    assert sink.reports()[0]["transaction"] == task.value
    assert CANARY not in sink.text


# Where its own code cannot be brought to fail from outside.
FAILING = {
    "dispatcher": """
import workers.dispatcher as dispatcher
def look(self): raise RuntimeError(CANARY)
dispatcher.Dispatcher.look = look
dispatcher.main()
""",
    "beat": """
import sys
from celery.beat import Service
def start(self): raise RuntimeError(CANARY)
Service.start = start
from celery.__main__ import main
sys.argv = ["celery", "-A", "celery_worker:celery", "beat", "--pidfile="]
main()
""",
}


@pytest.mark.parametrize("process", sorted(FAILING))
def test_what_ends_the_dispatcher_or_beat_is_reported(
    process: str, reporting: Processes, sink: Sink
) -> None:
    program = f"CANARY = {CANARY!r}\n{FAILING[process]}"

    subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=dict(reporting.environment),
        check=False,
        capture_output=True,
        timeout=120,
    )

    assert sink.errors() == ["RuntimeError"]
    assert CANARY not in sink.text


def test_nothing_is_reported_of_a_request_that_cannot_be_served(
    reporting: Processes, sink: Sink, refusing: Refusing
) -> None:
    with served_api(reporting) as api:
        answers = [
            call(api, "GET", f"/jobs/{uuid.uuid4()}"),
            call(api, "GET", f"/nowhere/{CANARY}"),
            call(api, "POST", "/jobs", json={"operation": CANARY}),
            call(api, "POST", "/jobs", data=b"{"),
            requests.get(f"{api['FACEQUEUE_URL']}/api/v1/jobs", timeout=60),
        ]
        with refusing("SELECT ON collections, subjects"):
            find_person(api)
        wait_until(lambda: bool(sink.errors()), what="the report of what came last")

    assert [answer.status_code for answer in answers] == [404, 404, 422, 415, 401]
    assert sink.errors() == ["ProgrammingError"]
    assert CANARY not in sink.text


def test_a_sentry_that_does_not_answer_keeps_nobody_waiting(
    reporting: Processes, sink: Sink, refusing: Refusing
) -> None:
    sink.may_answer.clear()
    with served_api(reporting) as api, refusing("SELECT ON collections, subjects"):
        # More than its queue holds, and each is answered before Sentry is.
        answers = [find_person(api).status_code for _ in range(120)]

    assert set(answers) == {500}
    assert len(sink.envelopes) < len(answers) / 2  # the first waits until the client gives it up
