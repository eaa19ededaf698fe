"""A job that its client deletes goes with all that is kept of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

import pytest

from app.database.transactions import tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.identifiers import new_id
from app.domain.job_request import ItemRequest
from app.domain.lease import ShardRef
from app.domain.request_errors import (
    JobNotTerminal,
    NotFound,
)
from app.domain.states import Operation
from app.domain.windows import Window
from app.models.dead_letter import DeadLetter
from app.services.jobs import delete_job as delete_job_module
from app.services.jobs.cancel_job import cancel_job
from app.services.jobs.delete_job import delete_job, remove_deleted_jobs
from app.services.jobs.read_jobs import list_jobs, read_job
from app.services.jobs.read_results import export_results, read_results_page
from tests.factories.outcomes import outcome
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import begun, detect_job, found, store

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked", "empty_database")]

TABLES = ("jobs", "items", "shards", "detections", "dead_letters")


def finished_job(world: TenantWorld) -> UUID:
    """A job of three items, each with a face, and with a dead letter."""
    shard = detect_job(world)
    store(begun(shard), *found(0, 1, 2))
    with tenant_transaction(world.tenant_id) as session:
        session.add(
            DeadLetter(
                id=new_id(),
                tenant_id=world.tenant_id,
                job_id=shard.job_id,
                item_seq=0,
                image_uri=world.uri("0.jpg"),
                code="worker_crashed",
                reason="test",
            )
        )
    return shard.job_id


def rows(world: TenantWorld) -> dict[str, int]:
    return {table: world.query(f"SELECT count(*) AS n FROM {table}")[0].n for table in TABLES}


def test_nothing_of_a_deleted_job_is_left(world: TenantWorld) -> None:
    delete_job(world.tenant_id, finished_job(world), SYSTEM)

    assert rows(world) == dict.fromkeys(TABLES, 0)


def test_a_job_beside_it_stays_whole(world: TenantWorld) -> None:
    other = finished_job(world)
    before = rows(world)

    delete_job(world.tenant_id, finished_job(world), SYSTEM)

    assert rows(world) == before
    assert read_job(world.tenant_id, other).job.succeeded_items == 3


def test_a_job_that_has_not_ended_is_refused_and_says_what_to_do(world: TenantWorld) -> None:
    job_id = detect_job(world).job_id

    with pytest.raises(JobNotTerminal, match="cancel it"):
        delete_job(world.tenant_id, job_id, SYSTEM)

    assert world.job(job_id).deleted_at is None


def test_a_canceled_job_can_be_deleted(world: TenantWorld) -> None:
    job_id = detect_job(world).job_id
    cancel_job(world.tenant_id, job_id, SYSTEM)

    delete_job(world.tenant_id, job_id, SYSTEM)

    assert rows(world) == dict.fromkeys(TABLES, 0)


def test_another_tenants_job_is_not_found_and_stays(world: TenantWorld) -> None:
    job_id = finished_job(world)

    with pytest.raises(NotFound):
        delete_job(TenantWorld.create().tenant_id, job_id, SYSTEM)

    assert rows(world)["jobs"] == 1


def test_the_deletion_is_an_audit_event(world: TenantWorld) -> None:
    job_id = finished_job(world)

    delete_job(world.tenant_id, job_id, SYSTEM)

    events = "SELECT target_id FROM audit_events WHERE action = 'job.deleted'"
    assert [str(row[0]) for row in world.query(events)] == [str(job_id)]


def test_the_faces_that_a_deleted_job_enrolled_stay(world: TenantWorld) -> None:
    person = ItemRequest("a", world.uri("a.jpg"), subject="someone")
    job_id = world.submit(Operation.ENROL, person, collection_id=world.collection())
    store(begun(ShardRef(job_id, 0)), outcome(0))

    delete_job(world.tenant_id, job_id, SYSTEM)

    assert len(world.query("SELECT id FROM faces")) == 1


@pytest.fixture
def large(world: TenantWorld, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """A deleted job that has more items than a transaction removes."""
    monkeypatch.setattr(delete_job_module, "_ITEMS_A_BATCH", 2)
    job_id = finished_job(world)
    delete_job(world.tenant_id, job_id, SYSTEM)
    return job_id


def test_the_rows_of_a_large_job_go_in_the_background(world: TenantWorld, large: UUID) -> None:
    assert world.job(large).deleted_at is not None
    assert rows(world) == {"jobs": 1, "items": 3, "shards": 1, "detections": 3, "dead_letters": 0}

    deadline = time.monotonic() + 30
    while rows(world)["jobs"]:
        assert time.monotonic() < deadline
        remove_deleted_jobs()

    assert rows(world) == dict.fromkeys(TABLES, 0)


def test_a_large_job_is_seen_by_nobody_from_its_deletion_on(
    world: TenantWorld, large: UUID
) -> None:
    tenant_id = world.tenant_id
    calls: list[Callable[[], object]] = [
        lambda: read_job(tenant_id, large),
        lambda: read_results_page(tenant_id, large, SYSTEM, limit=1, after=None),
        lambda: export_results(tenant_id, large, SYSTEM),
        lambda: cancel_job(tenant_id, large, SYSTEM),
        lambda: delete_job(tenant_id, large, SYSTEM),
    ]
    for call in calls:
        with pytest.raises(NotFound):
            call()
    assert list_jobs(tenant_id, Window(10)) == []


def test_a_job_that_nobody_deleted_is_not_removed(world: TenantWorld) -> None:
    finished_job(world)

    assert remove_deleted_jobs() == 0
    assert rows(world)["jobs"] == 1
