"""How a job ends otherwise than by its results, and whom its end is told."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from app.database.transactions import owner_transaction
from app.domain.actor import SYSTEM
from app.domain.job_request import ItemRequest
from app.domain.lease import ShardRef
from app.domain.request_errors import (
    JobAlreadyTerminal,
    NotFound,
)
from app.domain.states import JobState, Operation
from app.services.jobs.cancel_job import cancel_job
from app.services.jobs.reconcile_jobs import reconcile_jobs
from app.services.leases.claim_hints import reclaim_expired_leases
from app.services.results.job_batch import ShardFate
from app.services.webhooks.endpoints import NewEndpoint, create_endpoint
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import begun, detect_job, expire, found, leased, store

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked")]


def test_canceling_closes_what_nobody_holds_without_rewriting_items(world: TenantWorld) -> None:
    shard = detect_job(world, 600)
    lease = begun(shard)
    store(lease, *found(0))

    cancel_job(world.tenant_id, shard.job_id, SYSTEM)

    job = world.job(shard.job_id)
    assert (job.state, job.canceled_items, job.open_items) == (JobState.CANCELLING, 344, 255)
    assert world.items(shard.job_id)["i599"].state == "pending"


def test_a_worker_stops_a_canceled_job_at_its_next_batch_and_results_stay(
    world: TenantWorld,
) -> None:
    lease = begun(detect_job(world))
    cancel_job(world.tenant_id, lease.shard.job_id, SYSTEM)

    assert store(lease, *found(0)) is ShardFate.ENDED

    job = world.job(lease.shard.job_id)
    assert (job.state, job.succeeded_items, job.canceled_items) == (JobState.CANCELED, 1, 2)
    assert len(world.faces(lease.shard.job_id, "i0")) == 1


def test_a_job_nobody_works_on_is_canceled_at_once(world: TenantWorld) -> None:
    shard = detect_job(world)

    cancel_job(world.tenant_id, shard.job_id, SYSTEM)

    assert world.job(shard.job_id).state == JobState.CANCELED
    with pytest.raises(JobAlreadyTerminal):
        cancel_job(world.tenant_id, shard.job_id, SYSTEM)


def test_canceling_again_while_a_worker_stops_is_no_error(world: TenantWorld) -> None:
    lease = begun(detect_job(world))
    cancel_job(world.tenant_id, lease.shard.job_id, SYSTEM)

    cancel_job(world.tenant_id, lease.shard.job_id, SYSTEM)

    assert world.job(lease.shard.job_id).state == JobState.CANCELLING


def test_nobody_cancels_a_foreign_tenants_job(world: TenantWorld) -> None:
    shard = detect_job(world)

    with pytest.raises(NotFound):
        cancel_job(TenantWorld.create().tenant_id, shard.job_id, SYSTEM)


def test_a_canceled_job_whose_holder_died_is_ended_by_the_reconciler(world: TenantWorld) -> None:
    lease = begun(detect_job(world))
    cancel_job(world.tenant_id, lease.shard.job_id, SYSTEM)
    expire(lease)
    reclaim_expired_leases()

    reconcile_jobs()

    job = world.job(lease.shard.job_id)
    assert (job.state, job.canceled_items) == (JobState.CANCELED, 3)


def pass_expiry(shard: ShardRef) -> None:
    with owner_transaction() as session:
        session.execute(
            text("UPDATE jobs SET expires_at = now() - interval '1 s' WHERE id = :id"),
            {"id": shard.job_id},
        )


def test_a_job_that_waited_too_long_expires(world: TenantWorld) -> None:
    shard = detect_job(world)
    pass_expiry(shard)

    reconcile_jobs()

    job = world.job(shard.job_id)
    assert (job.state, job.canceled_items, job.open_items) == (JobState.EXPIRED, 3, 0)


def test_a_job_that_a_worker_has_just_taken_up_does_not_expire(world: TenantWorld) -> None:
    shard = detect_job(world, items=257)  # two shards, and one of them is held
    leased(shard)
    pass_expiry(shard)

    reconcile_jobs()

    job = world.job(shard.job_id)
    assert (job.state, job.canceled_items, job.open_items) == (JobState.QUEUED, 0, 257)
    assert [shard.state for shard in world.shards(shard.job_id)] == ["leased", "pending"]


def test_the_end_of_a_job_writes_one_delivery_for_each_subscriber(world: TenantWorld) -> None:
    subscribed = endpoint(world, "job.succeeded")
    endpoint(world, "job.failed")
    lease = begun(detect_job(world))

    store(lease, *found(0, 1, 2))

    (delivery,) = world.query("SELECT id, endpoint_id, type, payload FROM webhook_deliveries")
    assert (delivery.endpoint_id, delivery.type) == (subscribed, "job.succeeded")
    event = json.loads(delivery.payload)
    assert (event["id"], event["type"]) == (str(delivery.id), "job.succeeded")
    assert event["data"]["job_id"] == str(lease.shard.job_id)
    assert event["data"]["counts"] == {"total": 3, "succeeded": 3, "failed": 0, "canceled": 0}


def test_a_job_without_webhooks_writes_no_delivery(world: TenantWorld) -> None:
    endpoint(world, "job.canceled")
    job_id = world.submit(
        Operation.DETECT, ItemRequest("a", world.uri("a.jpg")), notify_webhooks=False
    )

    cancel_job(world.tenant_id, job_id, SYSTEM)

    assert world.query("SELECT id FROM webhook_deliveries") == []


def test_a_job_that_names_one_endpoint_tells_it_alone(world: TenantWorld) -> None:
    endpoint(world, "job.canceled")
    named = endpoint(world, "job.canceled")
    job_id = world.submit(
        Operation.DETECT, ItemRequest("a", world.uri("a.jpg")), webhook_endpoint_id=named
    )

    cancel_job(world.tenant_id, job_id, SYSTEM)

    deliveries = world.query("SELECT endpoint_id FROM webhook_deliveries")
    assert [row.endpoint_id for row in deliveries] == [named]


def endpoint(world: TenantWorld, event: str) -> UUID:
    wanted = NewEndpoint(f"https://example.org/{uuid4()}", [event])
    return create_endpoint(world.tenant_id, wanted, SYSTEM)[0].id
