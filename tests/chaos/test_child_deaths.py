"""A child that dies costs its batch; an image that kills it, one result and three deaths."""

from __future__ import annotations

import os
import signal

import pytest

from app.domain.job_request import ItemRequest
from app.domain.lease import POISON_DEATHS
from app.domain.states import JobState, Operation
from scripts.bench.trial import images
from tests.chaos.conftest import BATCH, Battlefield
from tests.factories.tenant_world import TenantWorld
from tests.support.processes import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.slow]

# As in production: a lease that runs out blames nobody, so that its deaths do not count.
LEASE_S = 30.0
POISON = "7.jpg"
# In the second batch: the first is committed when a worker stands before it.
HELD = "35.jpg"
# In the crowd, and then twice alone.
MOST_DEATHS = 1 + POISON_DEATHS


def test_a_child_killed_amid_its_shard_is_replaced_and_the_rest_is_tried_item_by_item(
    field: Battlefield,
) -> None:
    field.gate.hold(HELD)
    job_id = field.submit(BATCH + 8)
    field.wait_before(HELD, job_id, open_items=8)

    pid = field.shard(job_id).lease_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: field.shard(job_id).lease_pid != pid, what="the dead child's lease freed")
    was_isolated = field.shard(job_id).isolated
    field.gate.release(HELD)

    field.assert_whole(job_id)
    assert was_isolated
    assert not field.world.query("SELECT FROM dead_letters WHERE job_id = :id", id=job_id)


def test_a_poison_image_among_others_costs_one_result_and_three_deaths(
    field: Battlefield,
) -> None:
    field.gate.poison(POISON)
    job_id = field.submit(24)

    job = field.world.finished(job_id, 90)

    items = field.world.items(job_id)
    failed = {name: item.error_code for name, item in items.items() if item.state == "failed"}
    assert (job.state, job.succeeded_items) == (JobState.SUCCEEDED, 23)
    assert failed == {"7": "worker_crashed"}
    assert 0 < len(field.gate.deaths) <= MOST_DEATHS
    (letter,) = field.world.query(
        "SELECT item_seq, code, reason FROM dead_letters WHERE job_id = :id", id=job_id
    )
    assert (letter.item_seq, letter.code) == (7, "worker_crashed")
    assert "alone" in letter.reason


def test_a_poison_image_among_other_tenants_jobs_costs_them_nothing(field: Battlefield) -> None:
    field.programs.kill("dispatcher")  # so that they start together, in one task
    field.gate.poison("poison.jpg")
    neighbours = [TenantWorld.create() for _ in range(7)]
    portrait = images.original("collins").content
    jobs = [
        world.submit(Operation.DETECT, ItemRequest("a", world.put("a.jpg", portrait)))
        for world in neighbours
    ]
    poisoned = field.world.submit(
        Operation.DETECT, ItemRequest("p", field.world.put("poison.jpg", portrait))
    )
    field.start("dispatcher")

    for world, job_id in zip(neighbours, jobs, strict=True):
        assert world.finished(job_id, 90).succeeded_items == 1
    assert field.world.finished(poisoned, 90).failed_items == 1
    assert field.world.items(poisoned)["p"].error_code == "worker_crashed"
    assert 0 < len(field.gate.deaths) <= MOST_DEATHS
