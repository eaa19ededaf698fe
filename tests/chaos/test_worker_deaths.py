"""Workers that die, hang or stop: no item is lost, none has two results, nobody is blamed."""

from __future__ import annotations

import os
import signal
import time

import pytest
from sqlalchemy import select

from app.database.transactions import queue_transaction
from app.domain.states import JobState, Operation, ShardState
from app.models.worker import Worker
from tests.chaos.conftest import BATCH, LEASE_S, Battlefield
from tests.support.processes import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.slow]

# In the second batch: the first is committed when a worker stands before it.
HELD = "35.jpg"


def test_a_killed_worker_costs_the_time_of_its_lease_and_nobody_is_blamed(
    field: Battlefield,
) -> None:
    field.gate.hold(HELD)
    job_id = field.submit(BATCH + 8)
    field.wait_before(HELD, job_id, open_items=8)

    field.programs.kill("recognition")
    killed = time.monotonic()
    assert field.shard(job_id).state == ShardState.LEASED
    field.gate.release(HELD)
    field.start("recognition")

    field.assert_whole(job_id)
    assert time.monotonic() - killed < LEASE_S + 25
    assert not field.shard(job_id).isolated


@pytest.mark.parametrize("operation", [Operation.DETECT, Operation.ENROL])
def test_a_worker_that_wakes_after_its_lease_ran_out_writes_nothing(
    field: Battlefield, operation: Operation
) -> None:
    collection = field.world.collection() if operation is Operation.ENROL else None
    field.gate.hold(HELD)
    job_id = field.submit(BATCH + 8, operation, collection_id=collection)
    field.wait_before(HELD, job_id, open_items=8)
    before = field.shard(job_id).lease_token

    group = field.programs.running["recognition"].pid
    os.killpg(group, signal.SIGSTOP)
    try:
        field.gate.release(HELD)
        field.start("second")
        field.assert_whole(job_id)
    finally:
        os.killpg(group, signal.SIGCONT)
    # Stopped amid a transaction, it has lost that too.
    ends = (f"{job_id}/0 is no longer held under token {before}", "idle-in-transaction timeout")
    wait_until(
        lambda: any(field.logged("recognition", words) for words in ends),
        what="the late worker finding its token gone",
    )

    field.assert_whole(job_id)
    if collection is not None:
        (row,) = field.world.query(
            "SELECT face_count, (SELECT count(*) FROM faces WHERE collection_id = c.id) AS faces"
            " FROM collections c WHERE id = :id",
            id=collection,
        )
        assert (row.face_count, row.faces) == (BATCH + 8, BATCH + 8)


def test_a_worker_told_to_stop_ends_its_batch_and_hands_the_rest_back_unblamed(
    field: Battlefield,
) -> None:
    field.gate.hold(HELD)
    job_id = field.submit(2 * BATCH + 6)
    field.wait_before(HELD, job_id, open_items=BATCH + 6)

    process = field.programs.running["recognition"]
    process.terminate()
    told = time.monotonic()
    wait_until(lambda: field.logged("recognition", "soft_shutdown"), what="the worker stopping")
    field.gate.release(HELD)
    process.wait(30)

    shard = field.shard(job_id)
    assert time.monotonic() - told < 30
    assert (shard.state, shard.open_items) == (ShardState.PENDING, 6)
    assert (shard.attempt_count, shard.isolated, shard.trial_deaths) == (0, False, 0)
    field.start("recognition")
    field.assert_whole(job_id)


def test_a_worker_told_to_stop_offers_no_slot_while_it_ends_its_batch(field: Battlefield) -> None:
    field.gate.hold(HELD)
    job_id = field.submit(BATCH + 8)
    field.wait_before(HELD, job_id, open_items=8)
    holder = field.shard(job_id).lease_instance
    wait_until(lambda: holder in offering_workers(), what="its slots offered")

    process = field.programs.running["recognition"]
    process.terminate()
    wait_until(lambda: holder not in offering_workers(), seconds=10, what="its slots withdrawn")

    assert process.poll() is None
    field.gate.release(HELD)
    process.wait(30)
    field.start("recognition")
    field.assert_whole(job_id)


def offering_workers() -> set[str]:
    """Those that may be given work."""
    with queue_transaction() as session:
        return set(session.scalars(select(Worker.instance)))


def test_a_canceled_job_frees_its_worker_at_the_next_batch_and_keeps_what_is_done(
    field: Battlefield,
) -> None:
    from app.domain.actor import SYSTEM
    from app.services.jobs.cancel_job import cancel_job

    field.gate.hold(HELD)
    job_id = field.submit(2 * BATCH + 6)
    field.wait_before(HELD, job_id, open_items=BATCH + 6)

    cancel_job(field.world.tenant_id, job_id, SYSTEM)
    assert field.world.job(job_id).state == JobState.CANCELLING
    field.gate.release(HELD)

    job = field.world.finished(job_id)
    assert job.state == JobState.CANCELED
    assert (job.succeeded_items, job.canceled_items) == (2 * BATCH, 6)
    assert field.shard(job_id).state == ShardState.CANCELED
    field.assert_whole(field.submit(2))
