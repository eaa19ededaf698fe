"""A job can be followed by its id through the logs of whoever works on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.domain.actor import SYSTEM
from app.domain.job_request import ItemRequest
from app.domain.states import Operation
from app.services.webhooks.endpoints import NewEndpoint, create_endpoint
from tests.factories.tenant_world import TenantWorld
from tests.support.processes import Processes, wait_until

pytestmark = pytest.mark.stack


def says(log: Path, event: str, word: str) -> bool:
    lines = log.read_text(errors="replace").splitlines()
    return any(f'"event": "{event}"' in line and word in line for line in lines)


def test_each_job_of_a_shared_batch_and_its_webhook_leave_a_line(
    world: TenantWorld, workers: Processes
) -> None:
    wanted = NewEndpoint("https://receiver.example/hook", ["job.succeeded"])
    create_endpoint(world.tenant_id, wanted, SYSTEM)
    jobs = [world.submit(Operation.DETECT, ItemRequest("a", world.uri("no.jpg"))) for _ in range(5)]

    for job in jobs:
        world.finished(job)

    recognition, webhooks = workers.log("recognition"), workers.log("webhooks")
    for job in map(str, jobs):
        wait_until(lambda job=job: says(recognition, "shard_taken", job), what="the shard's line")
        wait_until(lambda job=job: says(webhooks, "webhook_attempted", job), what="the webhook's")


def test_the_line_of_a_task_tells_its_time_in_each_stage(
    world: TenantWorld, workers: Processes, portraits: Path
) -> None:
    photo = world.put("a.png", (portraits / "astronaut.png").read_bytes())
    job = world.submit(Operation.DETECT, ItemRequest("a", photo))
    world.finished(job)

    log = workers.log("recognition")
    wait_until(lambda: says(log, "shard_task_done", str(job)), what="the task's line")
    lines = [json.loads(line) for line in log.read_text().splitlines() if str(job) in line]
    (stages,) = [line["stages_ms"] for line in lines if line["event"] == "shard_task_done"]
    assert {"fetch", "decode", "detect", "store"} <= stages.keys()
    assert all(took > 0 for took in stages.values())
