"""A job is created, gets its items part by part, and is sealed; work does not wait for the seal."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.database.transactions import owner_transaction, queue_transaction, tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.job_request import ItemRequest
from app.domain.lease import ShardRef
from app.domain.request_errors import (
    DuplicateCustomId,
    JobSealed,
    NotFound,
)
from app.domain.states import JobState, Operation, Priority, ShardState
from app.queries.jobs import find_job
from app.queries.queue_depth import overdue_jobs, processing_jobs
from app.queries.ready_shards import ready_shards
from app.services.gallery.collections import delete_collection
from app.services.jobs.cancel_job import cancel_job
from app.services.jobs.reconcile_jobs import reconcile_jobs
from app.services.leases.begin_shard import begin_shard
from app.services.leases.lease_shards import hand_back, renew_leases
from app.services.results.job_batch import ShardFate
from tests.factories.prepared_jobs import append, preparing, seal
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import begun, found, leased, store
from tests.integration.jobs.conftest import PARKED_MODEL
from tests.support.statements import statements_sent

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked")]


def names(count: int, start: int = 0) -> list[str]:
    return [f"i{number}" for number in range(start, start + count)]


def submitted(world: TenantWorld, count: int) -> UUID:
    return world.submit(
        Operation.DETECT, *(ItemRequest(name, world.uri(f"{name}.jpg")) for name in names(count))
    )


def rows_of(world: TenantWorld, job_id: UUID) -> list[list[Any]]:
    """What the tables hold of a job, but for its id and the times that it was made at."""
    return [
        world.query(
            f"SELECT to_jsonb(t) - ARRAY['id', 'job_id', 'created_at', 'sealed_at', 'expires_at']"
            f" FROM {table} AS t WHERE {key} = :job_id ORDER BY {order}",
            job_id=job_id,
        )
        for table, key, order in [
            ("jobs", "id", "id"),
            ("shards", "job_id", "shard_no"),
            ("items", "job_id", "seq"),
        ]
    ]


def test_three_steps_leave_the_same_rows_as_one_submission(world: TenantWorld) -> None:
    at_once = submitted(world, 300)

    job_id = preparing(world, PARKED_MODEL)
    append(world, job_id, *names(300))
    seal(world, job_id)

    assert rows_of(world, job_id) == rows_of(world, at_once)


@pytest.mark.usefixtures("one_reading")
def test_a_submission_is_six_statements_whatever_its_size(world: TenantWorld) -> None:
    submitted(world, 1)

    with statements_sent() as of_few:
        submitted(world, 1)
    with statements_sent() as of_many:
        submitted(world, 600)

    assert len(of_few) == 6
    assert len(of_many) <= len(of_few)


def test_a_job_that_is_created_has_no_items_and_is_preparing(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)

    job = world.job(job_id)
    assert (job.state, job.sealed_at, job.total_items) == (JobState.PREPARING, None, 0)
    assert (world.items(job_id), world.shards(job_id)) == ({}, [])


def test_each_append_starts_a_new_shard_after_the_items_there_are(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)

    append(world, job_id, *names(3))
    append(world, job_id, *names(300, start=3))

    assert [(s.shard_no, s.first_seq, s.item_count) for s in world.shards(job_id)] == [
        (0, 0, 3),
        (1, 3, 256),
        (2, 259, 44),
    ]
    assert [item.seq for item in world.items(job_id).values()] == list(range(303))
    job = world.job(job_id)
    assert (job.total_items, job.open_items) == (303, 303)


def test_those_who_append_at_the_same_time_take_turns(app: Flask, world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)

    def append_part(part: int) -> None:
        with app.app_context():
            append(world, job_id, *names(5, start=5 * part))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(append_part, range(8)))

    assert [(s.shard_no, s.first_seq) for s in world.shards(job_id)] == [
        (part, 5 * part) for part in range(8)
    ]
    assert world.job(job_id).total_items == 40


def test_what_was_appended_is_ready_before_the_seal(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)
    append(world, job_id, *names(3))

    with queue_transaction() as session:
        ready = ready_shards(session, PARKED_MODEL, Priority.BULK, per_tenant=10)

    assert ShardRef(job_id, 0) in {candidate.shard for candidate in ready}


def test_a_part_is_recognised_before_the_seal_and_the_job_goes_on(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)
    append(world, job_id, *names(3))

    fate = store(begun(ShardRef(job_id, 0)), *found(0, 1, 2))

    job = world.job(job_id)
    assert fate is ShardFate.ENDED
    assert (job.state, job.open_items, job.finished_at) == (JobState.PREPARING, 0, None)
    assert job.started_at is not None
    assert world.shards(job_id)[0].state == ShardState.DONE


def test_the_seal_ends_a_job_whose_items_are_done(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)
    append(world, job_id, *names(3))
    store(begun(ShardRef(job_id, 0)), *found(0, 1, 2))

    assert seal(world, job_id)

    job = world.job(job_id)
    assert (job.state, job.succeeded_items) == (JobState.SUCCEEDED, 3)
    assert None not in {job.sealed_at, job.finished_at}


def test_the_last_item_ends_a_job_that_was_sealed_meanwhile(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)
    append(world, job_id, *names(3))
    lease = begun(ShardRef(job_id, 0))

    ended = seal(world, job_id)

    assert not ended
    assert world.job(job_id).state == JobState.PROCESSING
    assert store(lease, *found(0, 1, 2)) is ShardFate.ENDED
    assert world.job(job_id).state == JobState.SUCCEEDED


def test_a_job_on_which_nobody_has_begun_is_queued_when_it_is_sealed(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)
    append(world, job_id, *names(3))

    seal(world, job_id)

    job = world.job(job_id)
    assert (job.state, job.started_at) == (JobState.QUEUED, None)


def test_the_job_began_with_its_first_shard(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)
    append(world, job_id, *names(1))
    append(world, job_id, *names(1, start=1))
    begun(ShardRef(job_id, 0))
    first = world.job(job_id).started_at

    begun(ShardRef(job_id, 1))

    assert world.job(job_id).started_at == first


def test_a_job_that_is_sealed_with_nothing_in_it_has_succeeded(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)

    assert seal(world, job_id)

    job = world.job(job_id)
    assert (job.state, job.total_items, job.succeeded_items) == (JobState.SUCCEEDED, 0, 0)


def test_progress_is_told_while_a_job_is_prepared(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)
    append(world, job_id, *names(2))
    append(world, job_id, *names(3, start=2))
    store(begun(ShardRef(job_id, 1)), *found(2))

    with tenant_transaction(world.tenant_id) as session:
        counts = find_job(session, world.tenant_id, job_id).counts

    assert {name: counts[name] for name in ("total", "pending", "processing", "succeeded")} == {
        "total": 5,
        "pending": 2,
        "processing": 2,
        "succeeded": 1,
    }


@pytest.mark.usefixtures("empty_database")
def test_a_job_that_is_worked_on_while_it_is_prepared_is_under_way(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)
    append(world, job_id, *names(1))

    def under_way() -> int:
        with queue_transaction() as session:
            return processing_jobs(session)

    before = under_way()
    begun(ShardRef(job_id, 0))

    assert (before, under_way()) == (0, 1)


def test_a_sealed_job_takes_no_more_items(world: TenantWorld) -> None:
    job_id = submitted(world, 1)

    with pytest.raises(JobSealed, match="queued"):
        append(world, job_id, "late")

    assert world.job(job_id).total_items == 1


def test_a_job_is_sealed_once(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)
    append(world, job_id, "a")
    seal(world, job_id)

    with pytest.raises(JobSealed):
        seal(world, job_id)


def test_nobody_appends_to_a_foreign_tenants_job(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)

    with pytest.raises(NotFound):
        append(TenantWorld.create(), job_id, "a")


def test_a_custom_id_is_unique_over_all_parts(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)
    append(world, job_id, "a", "b")

    with pytest.raises(DuplicateCustomId):
        append(world, job_id, "c", "a")

    assert (list(world.items(job_id)), world.job(job_id).total_items) == (["a", "b"], 2)


def test_a_job_is_canceled_while_it_is_prepared(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)
    append(world, job_id, *names(3))

    cancel_job(world.tenant_id, job_id, SYSTEM)

    job = world.job(job_id)
    assert (job.state, job.canceled_items, job.open_items) == (JobState.CANCELED, 3, 0)
    with pytest.raises(JobSealed, match="canceled"):
        append(world, job_id, "late")


def test_a_worker_stops_a_job_that_is_canceled_while_it_is_prepared(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)
    append(world, job_id, *names(3))
    lease = begun(ShardRef(job_id, 0))
    cancel_job(world.tenant_id, job_id, SYSTEM)

    assert world.job(job_id).state == JobState.CANCELLING
    assert store(lease, *found(0)) is ShardFate.ENDED

    job = world.job(job_id)
    assert (job.state, job.succeeded_items, job.canceled_items) == (JobState.CANCELED, 1, 2)


def test_a_job_whose_collection_goes_while_it_is_prepared_fails(world: TenantWorld) -> None:
    collection_id = world.collection()
    job_id = preparing(world, PARKED_MODEL, collection_id=collection_id)
    append(world, job_id, *names(3))
    lease = leased(ShardRef(job_id, 0))
    delete_collection(world.tenant_id, collection_id, SYSTEM)

    assert begin_shard(lease) is None

    job = world.job(job_id)
    assert (job.state, job.failure_code) == (JobState.FAILED, "collection_deleted")


def pass_expiry(job_id: UUID) -> None:
    with owner_transaction() as session:
        session.execute(
            text("UPDATE jobs SET expires_at = now() - interval '1 s' WHERE id = :id"),
            {"id": job_id},
        )


def test_a_job_that_nobody_seals_expires_and_its_results_stay(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)
    append(world, job_id, *names(3))
    append(world, job_id, *names(2, start=3))
    store(begun(ShardRef(job_id, 0)), *found(0, 1, 2))
    pass_expiry(job_id)

    reconcile_jobs()

    job = world.job(job_id)
    assert (job.state, job.succeeded_items, job.canceled_items) == (JobState.EXPIRED, 3, 2)
    with pytest.raises(JobSealed, match="expired"):
        seal(world, job_id)


def test_work_on_it_does_not_keep_a_job_that_nobody_seals(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)
    append(world, job_id, *names(3))
    lease = begun(ShardRef(job_id, 0))
    pass_expiry(job_id)

    reconcile_jobs()

    job = world.job(job_id)
    assert (job.state, job.canceled_items) == (JobState.EXPIRED, 3)
    assert renew_leases([lease], 30) == []
    assert store(lease, *found(0)) is ShardFate.LOST


def test_a_job_that_nobody_seals_waits_for_its_expiry(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)
    append(world, job_id, *names(1))
    store(begun(ShardRef(job_id, 0)), *found(0))

    reconcile_jobs()

    assert world.job(job_id).state == JobState.PREPARING


def test_a_job_that_is_sealed_and_begun_as_it_expires_goes_on(
    world: TenantWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = preparing(world, PARKED_MODEL)
    append(world, job_id, *names(3))
    pass_expiry(job_id)

    def sealed_since_it_was_read(session: Session, at_most: int) -> Sequence[Row[Any]]:
        overdue = overdue_jobs(session, at_most)
        seal(world, job_id)
        hand_back([begun(ShardRef(job_id, 0))])
        return overdue

    monkeypatch.setattr("app.services.jobs.reconcile_jobs.overdue_jobs", sealed_since_it_was_read)
    reconcile_jobs()

    job = world.job(job_id)
    assert (job.state, job.open_items) == (JobState.PROCESSING, 3)
