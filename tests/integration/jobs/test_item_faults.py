"""An item that cannot be done fails when its job is made, and costs the others nothing."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.database.transactions import tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.identifiers import new_id
from app.domain.job_request import ItemRequest
from app.domain.lease import ShardRef
from app.domain.states import JobState, Operation, ShardState
from app.services.jobs.make_job import append_items
from app.services.jobs.resolve_items import ResolvedItems
from app.services.results.job_batch import ShardFate
from app.services.webhooks.endpoints import NewEndpoint, create_endpoint
from tests.factories.prepared_jobs import append, preparing, seal
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import begun, found, store
from tests.integration.jobs.conftest import PARKED_MODEL
from tests.support.statements import statements_sent

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked")]

ELSEWHERE = "s3://not-registered/a.jpg"


def right(world: TenantWorld, *names: str) -> list[ItemRequest]:
    return [ItemRequest(name, world.uri(f"{name}.jpg")) for name in names]


def wrong(*names: str) -> list[ItemRequest]:
    return [ItemRequest(name, ELSEWHERE) for name in names]


def test_a_failed_item_is_closed_with_its_reason(world: TenantWorld) -> None:
    job_id = world.submit(Operation.DETECT, *wrong("a"), *right(world, "b"))

    items = world.items(job_id)
    assert (items["a"].state, items["a"].error_code) == ("failed", "bucket_forbidden")
    assert ELSEWHERE in (items["a"].error_message or "")
    assert items["a"].finished_at is not None
    assert (items["b"].state, items["b"].error_code, items["b"].finished_at) == (
        "pending",
        None,
        None,
    )


def test_counts_of_shards_and_job_are_without_what_failed(world: TenantWorld) -> None:
    items = [*wrong(*(f"w{n}" for n in range(256))), *wrong("x", "y"), *right(world, "a", "b")]

    job_id = world.submit(Operation.DETECT, *items)

    job = world.job(job_id)
    assert (job.state, job.total_items, job.open_items) == (JobState.QUEUED, 260, 2)
    assert (job.failed_items, job.errors_by_code) == (258, {"bucket_forbidden": 258})
    assert [(s.state, s.item_count, s.open_items) for s in world.shards(job_id)] == [
        (ShardState.DONE, 256, 0),
        (ShardState.PENDING, 4, 2),
    ]


def test_the_others_are_recognised_and_end_the_job(world: TenantWorld) -> None:
    job_id = world.submit(Operation.DETECT, *right(world, "a"), *wrong("b"), *right(world, "c"))

    assert store(begun(ShardRef(job_id, 0)), *found(0, 2)) is ShardFate.ENDED

    job = world.job(job_id)
    assert (job.state, job.succeeded_items, job.failed_items) == (JobState.SUCCEEDED, 2, 1)


def test_a_job_of_which_nothing_can_be_done_ends_at_once_and_is_told_of(world: TenantWorld) -> None:
    create_endpoint(world.tenant_id, NewEndpoint("https://example.org", ["job.succeeded"]), SYSTEM)

    job_id = world.submit(Operation.DETECT, *wrong("a", "b"))

    job = world.job(job_id)
    assert (job.state, job.open_items, job.failed_items) == (JobState.SUCCEEDED, 0, 2)
    assert job.finished_at is not None
    (delivery,) = world.query("SELECT job_id FROM webhook_deliveries")
    assert delivery.job_id == job_id


def test_nobody_is_made_to_be_enrolled_by_an_item_that_failed(world: TenantWorld) -> None:
    items = (
        ItemRequest("a", ELSEWHERE, subject="nobody"),
        ItemRequest("b", world.uri("b.jpg"), subject="x" * 201),
        ItemRequest("c", world.uri("c.jpg"), subject="somebody"),
    )

    job_id = world.submit(Operation.ENROL, *items, collection_id=world.collection())

    assert [row.external_id for row in world.query("SELECT external_id FROM subjects")] == [
        "somebody"
    ]
    codes = [item.error_code for item in world.items(job_id).values()]
    assert codes == ["bucket_forbidden", "subject_invalid", None]


def test_a_subject_that_the_collection_lacks_cannot_be_claimed(world: TenantWorld) -> None:
    item = ItemRequest("a", world.uri("a.jpg"), subject="nobody")

    job_id = world.submit(Operation.VERIFY, item, collection_id=world.collection())

    assert world.job(job_id).errors_by_code == {"subject_unknown": 1}


def test_a_reference_and_an_upload_that_are_not_there_are_told(world: TenantWorld) -> None:
    items = (
        ItemRequest("a", world.uri("a.jpg"), reference=ELSEWHERE),
        ItemRequest("b", image_id=new_id(), reference=world.uri("b.jpg")),
    )

    job_id = world.submit(Operation.VERIFY, *items)

    codes = [item.error_code for item in world.items(job_id).values()]
    assert codes == ["bucket_forbidden", "image_not_found"]


@pytest.mark.usefixtures("one_reading")
def test_what_fails_costs_a_submission_one_round_trip_however_much_it_is(
    world: TenantWorld,
) -> None:
    world.submit(Operation.DETECT, *right(world, "a"))

    with statements_sent() as of_none:
        world.submit(Operation.DETECT, *right(world, "a"))
    with statements_sent() as of_one:
        world.submit(Operation.DETECT, *right(world, "a"), *wrong("b"))
    with statements_sent() as of_many:
        world.submit(Operation.DETECT, *right(world, "a"), *wrong(*(f"w{n}" for n in range(600))))

    assert len(of_one) == len(of_none) + 1  # the note of usage
    assert len(of_many) <= len(of_one)


def test_failed_items_can_be_appended_and_the_seal_ends_a_job_of_nothing_else(
    world: TenantWorld,
) -> None:
    job_id = preparing(world, PARKED_MODEL)

    append_failed(world, job_id, "a", "b")

    job = world.job(job_id)
    assert (job.state, job.total_items, job.open_items) == (JobState.PREPARING, 2, 0)
    assert seal(world, job_id)
    assert world.job(job_id).errors_by_code == {"image_not_found": 2}


def test_appended_failures_add_to_those_that_there_are(world: TenantWorld) -> None:
    job_id = preparing(world, PARKED_MODEL)
    append(world, job_id, "a")
    append_failed(world, job_id, "b")
    append_failed(world, job_id, "c")

    seal(world, job_id)

    job = world.job(job_id)
    assert (job.state, job.open_items, job.failed_items) == (JobState.QUEUED, 1, 2)
    assert job.errors_by_code == {"image_not_found": 2}


def append_failed(world: TenantWorld, job_id: UUID, *names: str) -> None:
    rows: list[dict[str, str | None]] = [
        {
            "custom_id": name,
            "image_uri": "",
            "error_code": "image_not_found",
            "error_message": "there is none",
        }
        for name in names
    ]
    with tenant_transaction(world.tenant_id) as session:
        append_items(session, job_id, ResolvedItems(rows))
