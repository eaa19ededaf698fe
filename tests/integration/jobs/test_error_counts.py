"""A job says how many of its items failed with which code, at every moment of its life."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text

from app.database.transactions import owner_transaction, tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.item_errors import (
    ImageCorrupt,
    ItemError,
    NotAnImage,
)
from app.domain.lease import ShardRef
from app.domain.outcomes import ItemOutcome
from app.services.results.bury_item import bury_item
from app.services.results.job_batch import ShardResults
from app.services.results.store_results import store_results
from app.services.webhooks.endpoints import NewEndpoint, create_endpoint
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import begun, detect_job, found, leased, store
from tests.support.processes import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked")]


_WAITING = text("""
SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE NOT granted AND datname = current_database()
""")


def failed(*seqs: int, error: type[ItemError] = ImageCorrupt) -> tuple[ItemOutcome, ...]:
    return tuple(ItemOutcome(seq, error=error("as it is")) for seq in seqs)


def test_the_codes_of_one_batch_are_counted_apart(world: TenantWorld) -> None:
    lease = begun(detect_job(world, 5))

    store(lease, *found(0), *failed(1, 2), *failed(3, error=NotAnImage))

    job = world.job(lease.shard.job_id)
    assert job.errors_by_code == {"image_corrupt": 2, "not_an_image": 1}
    assert job.failed_items == 3


def test_batches_add_up(world: TenantWorld) -> None:
    lease = begun(detect_job(world, 5))

    store(lease, *failed(0))
    store(lease, *failed(1), *failed(2, error=NotAnImage))
    store(lease, *found(3, 4))

    job = world.job(lease.shard.job_id)
    assert job.errors_by_code == {"image_corrupt": 2, "not_an_image": 1}


def test_a_job_without_failures_counts_none(world: TenantWorld) -> None:
    lease = begun(detect_job(world))

    store(lease, *found(0, 1, 2))

    assert world.job(lease.shard.job_id).errors_by_code == {}


def test_the_same_batch_twice_is_counted_once(world: TenantWorld) -> None:
    lease = begun(detect_job(world))
    store(lease, *failed(0))

    store(lease, *failed(0, error=NotAnImage))

    assert world.job(lease.shard.job_id).errors_by_code == {"image_corrupt": 1}


def test_jobs_of_one_batch_get_their_own(world: TenantWorld) -> None:
    first, second = begun(detect_job(world)), begun(detect_job(world))

    store_results(
        world.tenant_id,
        [
            ShardResults(first, failed(0)),
            ShardResults(second, (*failed(0, error=NotAnImage), *found(1))),
        ],
    )

    assert world.job(first.shard.job_id).errors_by_code == {"image_corrupt": 1}
    assert world.job(second.shard.job_id).errors_by_code == {"not_an_image": 1}


def test_an_item_that_is_given_up_is_counted(world: TenantWorld) -> None:
    lease = leased(detect_job(world))

    bury_item(lease, 1)

    assert world.job(lease.shard.job_id).errors_by_code == {"worker_crashed": 1}


def test_batches_that_meet_at_the_job_add_up(app: Flask, world: TenantWorld) -> None:
    shard = detect_job(world, 300)
    leases = [begun(shard), begun(ShardRef(shard.job_id, 1))]

    def store_from(first_seq: int) -> None:
        with app.app_context():
            store(leases[first_seq > 0], *failed(first_seq), *failed(first_seq + 1))

    with ThreadPoolExecutor(2) as pool:
        with tenant_transaction(world.tenant_id) as session:
            hold = text("SELECT FROM jobs WHERE id = :id FOR UPDATE")
            session.execute(hold, {"id": shard.job_id})
            both = [pool.submit(store_from, first_seq) for first_seq in (0, 256)]
            wait_until(lambda: waiting() == 2, seconds=10, what="both at the job")
        for one in both:
            one.result()

    assert world.job(shard.job_id).errors_by_code == {"image_corrupt": 4}


def waiting() -> int:
    """How many wait for what somebody else holds."""
    with owner_transaction() as session:
        return int(session.execute(_WAITING).scalar_one())


def test_the_webhook_says_which_codes_there_were(world: TenantWorld) -> None:
    wanted = NewEndpoint("https://example.org", ["job.succeeded"])
    create_endpoint(world.tenant_id, wanted, SYSTEM)
    lease = begun(detect_job(world))

    store(lease, *failed(0, 1), *found(2))

    (delivery,) = world.query("SELECT payload FROM webhook_deliveries")
    assert json.loads(delivery.payload)["data"]["errors_by_code"] == {"image_corrupt": 2}
