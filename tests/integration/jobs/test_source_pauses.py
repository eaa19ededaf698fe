"""Shards that wait for a bucket that does not answer: who takes them when, and how they end."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.database.transactions import owner_transaction, queue_transaction
from app.domain.lease import Lease, ShardRef
from app.domain.states import JobState, Priority, ShardState
from app.queries.ready_shards import ready_shards
from app.services.jobs.reconcile_jobs import reconcile_jobs
from app.services.leases.lease_shards import lease_small_shards
from app.services.leases.pause_source import (
    hand_back_waiting,
    known_pauses,
    pause_source,
    resume_source,
)
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import ME, begun, detect_job, found, store
from tests.integration.jobs.conftest import PARKED_MODEL

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked", "no_pauses")]

AWAY = "photos-away"


@pytest.fixture
def no_pauses(app: object) -> None:
    del app
    with owner_transaction() as session:
        session.execute(text("DELETE FROM source_pauses"))


def ready(world: TenantWorld) -> set[ShardRef]:
    """The tenant's shards that the dispatcher would publish."""
    with queue_transaction() as session:
        shards = ready_shards(session, PARKED_MODEL, Priority.INTERACTIVE, per_tenant=50)
    return {shard.shard for shard in shards if shard.tenant_id == world.tenant_id}


def waiting(world: TenantWorld, items: int = 3) -> Lease:
    """A shard that was handed back because its bucket is away."""
    lease = begun(detect_job(world, items))
    pause_source(AWAY, "SlowDown", 1)
    hand_back_waiting({lease: AWAY})
    return lease


def end_pause() -> None:
    with owner_transaction() as session:
        session.execute(text("UPDATE source_pauses SET until = now() - interval '1 s'"))


def test_a_shard_that_waits_has_no_attempt_counted(world: TenantWorld) -> None:
    lease = waiting(world)

    (shard,) = world.shards(lease.shard.job_id)
    assert (shard.state, shard.attempt_count) == (ShardState.PENDING, 0)
    assert (shard.waits_for, shard.open_items) == (AWAY, 3)


def test_nobody_takes_a_shard_while_its_bucket_is_paused(world: TenantWorld) -> None:
    lease = waiting(world)
    other = detect_job(world)

    assert ready(world) == {other}
    joined = lease_small_shards(PARKED_MODEL, ME, 30, 1000, [Priority.INTERACTIVE])
    assert lease.shard not in {taken.shard for taken in joined}
    assert other in {taken.shard for taken in joined}


def test_a_shard_can_be_taken_when_the_pause_is_over(world: TenantWorld) -> None:
    lease = waiting(world)

    end_pause()

    assert ready(world) == {lease.shard}


def test_a_bucket_that_answers_again_sets_all_its_shards_free(world: TenantWorld) -> None:
    shards = {waiting(world).shard, waiting(world).shard}

    assert resume_source(AWAY)
    assert not resume_source(AWAY)

    assert ready(world) == shards
    assert known_pauses() == {}


def test_a_failure_that_many_met_at_once_counts_once() -> None:
    for _ in range(8):
        pause_source(AWAY, "SlowDown", 4)

    assert known_pauses()[AWAY].failures == 1
    assert known_pauses()[AWAY].left_s <= 1


def test_each_further_failure_doubles_the_pause() -> None:
    pause_source(AWAY, "SlowDown", 0)
    end_pause()
    pause_source(AWAY, "ConnectTimeoutError", 0)

    pause = known_pauses()[AWAY]
    assert (pause.failures, pause.last_error) == (2, "ConnectTimeoutError")
    assert 1 < pause.left_s <= 2


def test_a_lost_lease_hands_nothing_back(world: TenantWorld) -> None:
    lease = waiting(world)
    end_pause()
    taken = lease_small_shards(PARKED_MODEL, ME, 30, 1000, [Priority.INTERACTIVE])

    hand_back_waiting({lease: "another"})

    assert lease.shard in {again.shard for again in taken}
    (shard,) = world.shards(lease.shard.job_id)
    assert (shard.state, shard.waits_for) == (ShardState.LEASED, AWAY)


def pass_expiry(shard: ShardRef) -> None:
    with owner_transaction() as session:
        session.execute(
            text("UPDATE jobs SET expires_at = now() - interval '1 s' WHERE id = :id"),
            {"id": shard.job_id},
        )


def test_a_job_that_waits_for_a_bucket_expires_with_the_results_it_has(world: TenantWorld) -> None:
    lease = begun(detect_job(world))
    store(lease, *found(0))
    pause_source(AWAY, "SlowDown", 1)
    hand_back_waiting({lease: AWAY})
    pass_expiry(lease.shard)

    reconcile_jobs()

    job = world.job(lease.shard.job_id)
    assert (job.state, job.succeeded_items, job.canceled_items) == (JobState.EXPIRED, 1, 2)


def test_a_job_of_which_something_does_not_wait_goes_on_past_its_time(world: TenantWorld) -> None:
    lease = waiting(world, items=257)  # of two shards
    pass_expiry(lease.shard)

    reconcile_jobs()

    assert world.job(lease.shard.job_id).state == JobState.PROCESSING
