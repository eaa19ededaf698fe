"""The job core against a real database, the test playing the worker."""

from __future__ import annotations

import datetime as dt
import json
import os
from uuid import UUID

import pytest
from sqlalchemy import text

from app.domain.actor import SYSTEM
from app.domain.errors import ImageCorrupt, JobAlreadyTerminal, LeaseLost, NotFound
from app.domain.job_request import ItemRequest
from app.domain.lease import Holder, Lease, ShardRef
from app.domain.outcomes import ItemOutcome
from app.domain.states import JobState, Operation, ShardState
from app.models.session import owner_transaction
from app.services.begin_shard import begin_shard
from app.services.bury_item import bury_item
from app.services.cancel_job import cancel_job
from app.services.claim_hints import reclaim_expired_leases
from app.services.lease_shards import (
    begin_trial,
    free_dead_predecessors,
    hand_back,
    lease_shard,
    renew_leases,
)
from app.services.reconcile import reconcile_jobs
from app.services.store_results import ShardResults, store_results
from app.services.webhook_endpoints import NewEndpoint, create_endpoint
from tests.factories.outcomes import outcome
from tests.factories.tenant_world import TenantWorld

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked")]

ME = Holder("worker@here/1", 1)
OTHER = Holder("worker@there/2", 1)


def detect_job(world: TenantWorld, items: int = 3) -> ShardRef:
    requests = (ItemRequest(f"i{n}", world.uri(f"{n}.jpg")) for n in range(items))
    return ShardRef(world.submit(Operation.DETECT, *requests), 0)


def leased(shard: ShardRef, holder: Holder = ME, life_s: float = 30) -> Lease:
    lease = lease_shard(shard, holder, life_s)
    assert lease is not None
    return lease


def begun(shard: ShardRef) -> Lease:
    lease = leased(shard)
    assert begin_shard(lease) is not None
    return lease


def results(lease: Lease, *seqs: int) -> ShardResults:
    return ShardResults(lease, tuple(outcome(seq) for seq in seqs))


def test_items_are_cut_into_shards_of_the_configured_size(world: TenantWorld) -> None:
    shard = detect_job(world, 600)

    shards = world.shards(shard.job_id)

    assert [(s.first_seq, s.item_count, s.open_items) for s in shards] == [
        (0, 256, 256),
        (256, 256, 256),
        (512, 88, 88),
    ]


def test_a_shard_is_leased_once(world: TenantWorld) -> None:
    shard = detect_job(world)

    assert lease_shard(shard, ME, 30) is not None
    assert lease_shard(shard, OTHER, 30) is None


def test_beginning_a_shard_starts_its_job(world: TenantWorld) -> None:
    lease = leased(detect_job(world))

    work = begin_shard(lease)

    job = world.job(lease.shard.job_id)
    assert work is not None
    assert [item.seq for item in work.items] == [0, 1, 2]
    assert job.state == JobState.PROCESSING
    assert job.started_at is not None


def test_counters_follow_each_batch(world: TenantWorld) -> None:
    lease = begun(detect_job(world))

    assert store_results(results(lease, 0))

    job = world.job(lease.shard.job_id)
    assert (job.open_items, job.succeeded_items, job.finished_at) == (2, 1, None)


def test_the_last_item_ends_the_job(world: TenantWorld) -> None:
    lease = begun(detect_job(world))

    assert not store_results(results(lease, 0, 1, 2))

    job = world.job(lease.shard.job_id)
    (shard,) = world.shards(lease.shard.job_id)
    assert (job.state, job.open_items, job.succeeded_items) == (JobState.SUCCEEDED, 0, 3)
    assert (shard.state, shard.leased_until) == (ShardState.DONE, None)


def test_a_failed_item_is_counted_as_failed_and_keeps_its_error(world: TenantWorld) -> None:
    lease = begun(detect_job(world, 1))

    store_results(ShardResults(lease, (ItemOutcome(0, error=ImageCorrupt("cut off")),)))

    item = world.items(lease.shard.job_id)["i0"]
    job = world.job(lease.shard.job_id)
    assert (item.state, item.error_code, item.error_message) == (
        "failed",
        "image_corrupt",
        "cut off",
    )
    assert (job.state, job.failed_items) == (JobState.SUCCEEDED, 1)


def test_the_same_batch_twice_is_counted_once(world: TenantWorld) -> None:
    lease = begun(detect_job(world))

    store_results(results(lease, 0, 1))
    store_results(results(lease, 0, 1))

    assert world.job(lease.shard.job_id).succeeded_items == 2
    assert len(world.faces(lease.shard.job_id, "i0")) == 1


def test_whoever_lost_the_lease_writes_nothing(world: TenantWorld) -> None:
    late = begun(detect_job(world))
    expire(late)
    assert late.shard in reclaim_expired_leases()
    new = leased(late.shard, OTHER)

    with pytest.raises(LeaseLost):
        store_results(results(late, 0, 1, 2))

    assert new.token > late.token
    assert world.job(late.shard.job_id).open_items == 3
    assert world.faces(late.shard.job_id, "i0") == []


def test_a_reclaimed_shard_is_done_by_the_next_worker_without_its_finished_items(
    world: TenantWorld,
) -> None:
    first = begun(detect_job(world))
    store_results(results(first, 0))
    expire(first)
    reclaim_expired_leases()

    work = begin_shard(leased(first.shard, OTHER))

    assert work is not None
    assert [item.seq for item in work.items] == [1, 2]


def test_an_expired_lease_blames_nobody(world: TenantWorld) -> None:
    lease = begun(detect_job(world))
    expire(lease)

    reclaim_expired_leases()

    (shard,) = world.shards(lease.shard.job_id)
    assert (shard.state, shard.isolated, shard.trial_deaths) == (ShardState.PENDING, False, 0)


def test_a_shard_that_lost_three_leases_without_a_result_is_tried_item_by_item(
    world: TenantWorld,
) -> None:
    shard = detect_job(world)
    for _ in range(3):
        expire(leased(shard))
        reclaim_expired_leases()

    assert leased(shard).isolated


def test_a_renewed_lease_lives_on_and_a_lost_one_is_not_renewed(world: TenantWorld) -> None:
    kept, lost = leased(detect_job(world)), leased(detect_job(world))
    expire(lost)
    reclaim_expired_leases()

    assert renew_leases([kept, lost], 30) == [kept]


def test_handing_back_counts_no_attempt(world: TenantWorld) -> None:
    lease = begun(detect_job(world))

    hand_back([lease])

    (shard,) = world.shards(lease.shard.job_id)
    assert (shard.state, shard.attempt_count, shard.open_items) == (ShardState.PENDING, 0, 3)


def test_a_replacement_frees_its_dead_siblings_lease_at_once_and_isolates_it(
    world: TenantWorld,
) -> None:
    no_such_process = 2**22 + 1
    dead = leased(detect_job(world), Holder("worker@here/3", no_such_process))

    freed = free_dead_predecessors(Holder("worker@here/3", 1))

    (shard,) = world.shards(dead.shard.job_id)
    assert freed == [dead.shard]
    assert (shard.state, shard.isolated) == (ShardState.PENDING, True)


def test_the_living_siblings_of_a_replacement_keep_their_leases(world: TenantWorld) -> None:
    living = leased(detect_job(world), Holder("worker@here/4", os.getpid()))

    assert free_dead_predecessors(Holder("worker@here/4", 1)) == []
    assert renew_leases([living], 30) == [living]


def test_only_deaths_alone_with_an_item_count_against_it(world: TenantWorld) -> None:
    shard = detect_job(world)
    no_such_process = 2**22 + 1
    deaths = []
    for _ in range(3):
        lease = leased(shard, Holder("worker@here/5", no_such_process))
        if lease.isolated:
            deaths.append(begin_trial(lease, 0))
        free_dead_predecessors(Holder("worker@here/5", 1))
    last = begin_trial(leased(shard), 0)

    assert [*deaths, last] == [0, 1, 2]


def test_a_trial_of_another_item_starts_from_no_deaths(world: TenantWorld) -> None:
    lease = leased(detect_job(world), Holder("worker@here/6", 2**22 + 1))
    begin_trial(lease, 0)
    free_dead_predecessors(Holder("worker@here/6", 1))

    assert begin_trial(leased(lease.shard), 1) == 0


def test_a_buried_item_fails_leaves_a_dead_letter_and_ends_the_isolation(
    world: TenantWorld,
) -> None:
    lease = begun(detect_job(world))
    begin_trial(lease, 1)

    assert bury_item(lease, 1)

    (letter,) = world.query("SELECT item_seq, code, image_uri FROM dead_letters")
    (shard,) = world.shards(lease.shard.job_id)
    assert tuple(letter) == (1, "worker_crashed", world.uri("1.jpg"))
    assert world.items(lease.shard.job_id)["i1"].error_code == "worker_crashed"
    assert (shard.isolated, shard.open_items) == (False, 2)


def test_canceling_closes_what_nobody_holds_without_rewriting_items(world: TenantWorld) -> None:
    shard = detect_job(world, 600)
    lease = begun(shard)
    store_results(results(lease, 0))

    cancel_job(world.tenant_id, shard.job_id, SYSTEM)

    job = world.job(shard.job_id)
    assert (job.state, job.canceled_items, job.open_items) == (JobState.CANCELLING, 344, 255)
    assert world.items(shard.job_id)["i599"].state == "pending"


def test_a_worker_stops_a_canceled_job_at_its_next_batch_and_results_stay(
    world: TenantWorld,
) -> None:
    lease = begun(detect_job(world))
    cancel_job(world.tenant_id, lease.shard.job_id, SYSTEM)

    assert not store_results(results(lease, 0))

    job = world.job(lease.shard.job_id)
    assert (job.state, job.succeeded_items, job.canceled_items) == (JobState.CANCELED, 1, 2)
    assert len(world.faces(lease.shard.job_id, "i0")) == 1


def test_a_job_nobody_works_on_is_canceled_at_once(world: TenantWorld) -> None:
    shard = detect_job(world)

    cancel_job(world.tenant_id, shard.job_id, SYSTEM)

    assert world.job(shard.job_id).state == JobState.CANCELED
    with pytest.raises(JobAlreadyTerminal):
        cancel_job(world.tenant_id, shard.job_id, SYSTEM)


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


def test_a_job_that_waited_too_long_expires(world: TenantWorld) -> None:
    shard = detect_job(world)
    with owner_transaction() as session:
        session.execute(
            text("UPDATE jobs SET expires_at = now() - interval '1 s' WHERE id = :id"),
            {"id": shard.job_id},
        )

    reconcile_jobs()

    job = world.job(shard.job_id)
    assert (job.state, job.canceled_items, job.open_items) == (JobState.EXPIRED, 3, 0)


def test_the_end_of_a_job_writes_one_delivery_for_each_subscriber(world: TenantWorld) -> None:
    subscribed = endpoint(world, "job.succeeded")
    endpoint(world, "job.failed")
    lease = begun(detect_job(world))

    store_results(results(lease, 0, 1, 2))

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
    wanted = NewEndpoint("https://example.org", [event])
    return create_endpoint(world.tenant_id, wanted, SYSTEM)[0].id


def expire(lease: Lease) -> None:
    """Let the lease's time run out."""
    past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    with owner_transaction() as session:
        session.execute(
            text("UPDATE shards SET leased_until = :past WHERE job_id = :job_id"),
            {"past": past, "job_id": lease.shard.job_id},
        )
