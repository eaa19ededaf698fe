"""A job is redriven while it, or a person of it, is deleted: all of it happens, or none."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from flask import Flask

from app.database.transactions import tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.job_request import ItemRequest
from app.domain.lease import ShardRef
from app.domain.request_errors import NotFound
from app.domain.states import JobState, Operation
from app.services.gallery.subjects import delete_subject
from app.services.jobs.delete_job import delete_job, remove_deleted_jobs
from app.services.jobs.redrive_job import redrive_job
from app.services.jobs.scrub_results import scrub_results
from tests.factories.jobs import close_item
from tests.factories.scrubbing import scrubbed
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import begun, found, store
from tests.support.locks import Begin, beginning

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked")]

LARGE = "app.services.jobs.delete_job._ITEMS_A_BATCH"


@pytest.fixture
def begin(app: Flask) -> Iterator[Begin]:
    with beginning(app) as start:
        yield start


@pytest.fixture
def failed(world: TenantWorld) -> UUID:
    """A job that has ended, both of whose items failed."""
    items = (ItemRequest(f"i{n}", world.uri(f"{n}.jpg")) for n in range(2))
    job_id = world.submit(Operation.DETECT, *items)
    for seq in range(2):
        close_item(job_id, seq, error="storage_unavailable")
    return job_id


def redrive(world: TenantWorld, job_id: UUID) -> UUID:
    return redrive_job(world.tenant_id, job_id, SYSTEM).id


def delete(world: TenantWorld, job_id: UUID) -> None:
    delete_job(world.tenant_id, job_id, SYSTEM)


def ids_of_jobs(world: TenantWorld) -> list[UUID]:
    return [row.id for row in world.query("SELECT id FROM jobs ORDER BY id")]


def test_a_deletion_waits_for_a_redrive_and_leaves_the_new_job_whole(
    world: TenantWorld, failed: UUID, begin: Begin
) -> None:
    with tenant_transaction(world.tenant_id):
        made = redrive(world, failed)
        deleted = begin(lambda: delete(world, failed))
    deleted.result(timeout=10)

    assert ids_of_jobs(world) == [made]
    store(begun(ShardRef(made, 0)), *found(0, 1))
    job = world.job(made)
    assert (job.state, job.succeeded_items, job.redrive_of) == (JobState.SUCCEEDED, 2, failed)


@pytest.mark.parametrize("most", [2000, 1], ids=["a small one", "a large one"])
def test_a_redrive_that_waits_for_the_job_s_deletion_finds_none_and_makes_none(
    world: TenantWorld,
    failed: UUID,
    begin: Begin,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
) -> None:
    monkeypatch.setattr(LARGE, most)
    with tenant_transaction(world.tenant_id):
        delete(world, failed)
        redriven = begin(lambda: redrive(world, failed))
    with pytest.raises(NotFound):
        redriven.result(timeout=10)

    remove_deleted_jobs()
    assert ids_of_jobs(world) == []
    assert world.query("SELECT seq FROM items") == []


def test_of_two_deletions_one_finds_the_job(world: TenantWorld, failed: UUID, begin: Begin) -> None:
    with tenant_transaction(world.tenant_id):
        delete(world, failed)
        second = begin(lambda: delete(world, failed))
    with pytest.raises(NotFound):
        second.result(timeout=10)

    events = world.query("SELECT id FROM audit_events WHERE action = 'job.deleted'")
    assert len(events) == 1


@pytest.mark.usefixtures("empty_database")
def test_a_person_who_is_erased_while_their_item_is_redriven_stays_erased(app: Flask) -> None:
    world = TenantWorld.create()
    collection = world.collection(model="SFace@parked", space="SFace@parked")
    job_id = world.submit(
        Operation.ENROL,
        ItemRequest("i0", world.uri("0.jpg"), subject="ada"),
        collection_id=collection,
    )
    close_item(job_id, 0, error="storage_unavailable")

    def erase() -> int:
        with app.app_context():
            delete_subject(world.tenant_id, collection, "ada", SYSTEM)
            return scrub_results()

    with ThreadPoolExecutor(1) as pool, tenant_transaction(world.tenant_id):
        made = redrive(world, job_id)
        assert pool.submit(erase).result(timeout=10) == 0  # this transaction has read her name
    store(begun(ShardRef(made, 0)), *found(0))

    (item,) = world.items(made).values()
    assert (item.error_code, world.query("SELECT id FROM faces")) == ("subject_deleted", [])
    scrubbed(world)
    assert {row.subject_id for row in world.query("SELECT subject_id FROM items")} == {None}
