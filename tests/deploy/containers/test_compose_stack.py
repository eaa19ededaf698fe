"""deploy/docker/compose.yml for real, by podman.

The image of FaceQueue is what its users build, but on Debian's own Python. PostgreSQL, Redis, S3
and nginx are this machine's programs in images of the names that compose.yml has (stand_ins.py),
and so of other versions than it says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests
from rich.console import Console

from scripts.demo.client import DemoClient
from scripts.demo.photos import Photo
from scripts.demo.run import Run
from scripts.demo.samples import sample_plan
from tests.deploy.containers.asked_for import ASKED_FOR
from tests.deploy.containers.compose_stack import ComposeStack
from tests.support.processes import wait_until

pytestmark = ASKED_FOR
STEPS = ("migrate", "bucket")


def test_everything_runs_once_its_steps_have_ended_well(stack: ComposeStack) -> None:
    states = {service: stack.state(service) for service in stack.services}

    for step in STEPS:
        assert (states[step]["Status"], states[step]["ExitCode"]) == ("exited", 0), step
    running = {name: each for name, each in states.items() if name not in STEPS}
    assert {name for name, each in running.items() if each["Status"] != "running"} == set()
    assert {name for name, each in running.items() if each["RestartCount"]} == set()
    ready = stack.exec("api", "python", "-c", _READINESS)
    assert ready == "ok"


_READINESS = """
import json, urllib.request as r
print(json.load(r.urlopen('http://127.0.0.1:8000/health/ready/', timeout=10))['status'])
"""


@pytest.mark.parametrize(
    ("service", "user"), [("api", "10001"), ("recognition", "10001"), ("redis", "999")]
)
def test_processes_are_not_root(stack: ComposeStack, service: str, user: str) -> None:
    assert stack.exec(service, "sh", "-c", "id -u") == user


def test_the_demo_runs_from_outside(stack: ComposeStack, portraits: Path) -> None:
    outcome = Run(stack.place(), Console(quiet=True)).go(sample_plan(portraits))

    named = {item["custom_id"]: _best(item) for item in outcome.identified}
    assert (named["obama2.jpg"], named["grace_hopper.jpg"]) == ("Barack Obama", None)
    assert len(named) == 11
    assert outcome.event is not None
    assert outcome.event["type"] == "job.succeeded"


def _best(item: dict[str, Any]) -> str | None:
    (face,) = item["faces"]
    return face["matches"][0]["subject"] if face["decision"] == "match" else None


def test_a_worker_that_is_lost_amid_a_job_loses_nothing(
    stack: ComposeStack, portraits: Path
) -> None:
    api, names, stored = _prepared(stack, portraits, 150)
    job = api.start("detect", items=[{"custom_id": name, **stored} for name in names])
    wait_until(lambda: api.job(job.id).closed_items > 0, seconds=60, what="the first image's end")

    stack.lose("recognition")

    seen = api.job(job.id)
    assert (seen.ended, seen.closed_items < len(names)) == (False, True)
    wait_until(lambda: api.job(job.id).ended, seconds=300, what="the job's end")
    results = list(api.results(job.id))
    assert api.job(job.id).state == "succeeded"
    assert sorted(item["custom_id"] for item in results) == sorted(names)
    assert {len(item["faces"]) for item in results} == {1}


def _prepared(
    stack: ComposeStack, portraits: Path, items: int
) -> tuple[DemoClient, list[str], dict[str, Any]]:
    place = stack.place()
    stored = place.put(Photo("obama.jpg", None, (portraits / "obama.jpg").read_bytes))
    return DemoClient(place.url, place.api_key), [f"{number:04}" for number in range(items)], stored


def test_an_api_that_was_made_again_is_found_by_the_proxy(stack: ComposeStack) -> None:
    before = stack.exec("api", "hostname", "-i")
    stack.compose("up", "-d", "--force-recreate", "--no-deps", "api")
    stack.wait_for("api")

    wait_until(
        lambda: requests.get(f"{stack.url}/health/", timeout=10).ok, what="the proxy's answer"
    )
    assert stack.exec("api", "hostname", "-i") != before


def test_down_and_up_keeps_the_data(stack: ComposeStack, portraits: Path) -> None:
    place = stack.place()
    api = DemoClient(place.url, place.api_key)
    obama = place.put(Photo("obama.jpg", None, (portraits / "obama.jpg").read_bytes))
    gallery = api.create_collection("kept")
    _done(api, "enrol", gallery, {"custom_id": "1", "subject": "obama", **obama})

    stack.compose("down", "--timeout", "45")
    stack.up()

    assert stack.state("migrate")["ExitCode"] == 0
    # The photograph is in S3 still, and the face in PostgreSQL.
    (found,) = _done(api, "identify", gallery, {"custom_id": "2", **obama})
    assert _best(found) == "obama"


def _done(
    api: DemoClient, operation: str, gallery: str, item: dict[str, Any]
) -> list[dict[str, Any]]:
    job = api.start(operation, collection_id=gallery, items=[item])
    wait_until(lambda: api.job(job.id).ended, seconds=90, what=f"the end of {operation}")
    assert api.job(job.id).state == "succeeded"
    return list(api.results(job.id))
