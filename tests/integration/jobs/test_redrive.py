"""Which items a redriven job has, which of them are tried, and what that costs."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import text

from app.database.transactions import owner_transaction, tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.identifiers import new_id
from app.domain.item_errors import LocationInvalid, StorageUnavailable
from app.domain.job_options import JobOptions
from app.domain.job_request import ItemRequest
from app.domain.lease import ShardRef
from app.domain.outcomes import ItemOutcome
from app.domain.states import JobState, Operation, ShardState
from app.domain.storage import ObjectLocation
from app.models.job import Job
from app.services.gallery.subjects import delete_subject
from app.services.jobs.cancel_job import cancel_job
from app.services.jobs.redrive_job import redrive_job
from app.services.results.job_batch import ShardFate
from app.services.tenancy.storage_places import allow_location, readable_storage
from app.services.webhooks.endpoints import NewEndpoint, create_endpoint
from tests.factories.jobs import close_item
from tests.factories.scrubbing import scrubbed as scrubbed_to_the_end
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import begun, found, store
from tests.support.statements import statements_sent

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked")]

ELSEWHERE = "s3://not-registered/a.jpg"

# As if every item of a job had been tried in vain.
FAIL = """
WITH failed AS (
  UPDATE items SET state = 'failed', error_code = :code, error_message = 'x', finished_at = now()
  WHERE job_id = :id AND state = 'pending' RETURNING seq
)
UPDATE jobs SET state = 'succeeded', finished_at = now(), open_items = 0,
  failed_items = total_items, errors_by_code = jsonb_build_object(:code, total_items)
WHERE id = :id
"""


def fail(job_id: UUID, code: str = "storage_unavailable") -> UUID:
    with owner_transaction() as session:
        session.execute(text(FAIL), {"id": job_id, "code": code})
    return job_id


def submitted(world: TenantWorld, count: int) -> UUID:
    items = (ItemRequest(f"i{n}", world.uri(f"{n}.jpg")) for n in range(count))
    return world.submit(Operation.DETECT, *items)


def redriven(world: TenantWorld, job_id: UUID) -> Job:
    return redrive_job(world.tenant_id, job_id, SYSTEM)


def errors(world: TenantWorld, job: Job) -> dict[str, str | None]:
    return {name: item.error_code for name, item in world.items(job.id).items()}


def subject_of(world: TenantWorld, name: str) -> UUID:
    query = "SELECT id FROM subjects WHERE external_id = :name"
    subject_id: UUID = world.query(query, name=name)[0].id
    return subject_id


def test_items_keep_all_that_they_were_submitted_with(world: TenantWorld) -> None:
    item = ItemRequest(
        "a",
        world.uri("a.jpg"),
        reference=world.uri("b.jpg"),
        image_version="v1",
        reference_version="v2",
    )
    job = redriven(world, fail(world.submit(Operation.VERIFY, item)))

    (kept,) = world.items(job.id).values()
    assert (kept.custom_id, kept.seq, kept.state) == ("a", 0, "pending")
    assert (kept.image_uri, kept.image_version) == (world.uri("a.jpg"), "v1")
    assert (kept.reference_uri, kept.reference_version) == (world.uri("b.jpg"), "v2")
    assert (kept.error_code, kept.error_message, kept.finished_at) == (None, None, None)


def test_items_stand_in_shards_as_if_they_had_been_submitted(world: TenantWorld) -> None:
    job_id = fail(submitted(world, 600))

    job = redriven(world, job_id)

    def rows(of: UUID) -> list[tuple[object, ...]]:
        return [(s.shard_no, s.first_seq, s.item_count) for s in world.shards(of)]

    assert rows(job.id) == rows(job_id) == [(0, 0, 256), (1, 256, 256), (2, 512, 88)]
    assert [s.state for s in world.shards(job.id)] == [ShardState.PENDING] * 3
    assert (job.total_items, job.open_items, job.failed_items) == (600, 600, 0)
    assert list(world.items(job.id)) == list(world.items(job_id))


def test_a_job_of_several_batches_is_whole(
    world: TenantWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.jobs.append_failed_items._SHARDS_A_BATCH", 1)

    job = redriven(world, fail(submitted(world, 512)))

    assert [s.item_count for s in world.shards(job.id)] == [256, 256]
    assert list(world.items(job.id)) == [f"i{n}" for n in range(512)]
    assert [item.seq for item in world.items(job.id).values()] == list(range(512))


@pytest.mark.usefixtures("one_reading")
def test_no_item_passes_through_python(world: TenantWorld) -> None:
    few, many = fail(submitted(world, 1)), fail(submitted(world, 600))

    with statements_sent() as of_few:
        redriven(world, few)
    with statements_sent() as of_many:
        redriven(world, many)

    assert len(of_many) <= len(of_few)


def test_a_worker_takes_the_new_job_and_ends_it(world: TenantWorld) -> None:
    job_id = submitted(world, 2)
    away = ItemOutcome(1, error=StorageUnavailable("not now"))
    assert store(begun(ShardRef(job_id, 0)), *found(0), away) is ShardFate.ENDED

    job = redriven(world, job_id)

    assert store(begun(ShardRef(job.id, 0)), *found(0)) is ShardFate.ENDED
    ended = world.job(job.id)
    assert (ended.state, ended.succeeded_items) == (JobState.SUCCEEDED, 1)
    assert list(world.items(job.id)) == ["i1"]


def test_what_was_not_registered_when_it_was_submitted_is_tried_again(world: TenantWorld) -> None:
    items = (
        ItemRequest("image", ELSEWHERE, reference=world.uri("b.jpg")),
        ItemRequest("reference", world.uri("a.jpg"), reference=ELSEWHERE),
    )
    job_id = world.submit(Operation.VERIFY, *items)
    assert world.job(job_id).errors_by_code == {"bucket_forbidden": 2}
    allow_location(world.tenant_id, ObjectLocation("not-registered", ""))

    job = redriven(world, job_id)

    assert errors(world, job) == {"image": None, "reference": None}
    assert world.items(job.id)["reference"].reference_uri == ELSEWHERE


def test_a_person_who_was_there_is_enrolled_from_what_is_registered_now(
    world: TenantWorld,
) -> None:
    collection_id = world.collection()
    world.submit(
        Operation.ENROL,
        ItemRequest("a", world.uri("a.jpg"), subject="known"),
        collection_id=collection_id,
    )
    items = (
        ItemRequest("known", ELSEWHERE, subject="known"),
        ItemRequest("new", ELSEWHERE, subject="new"),
    )
    job_id = world.submit(Operation.ENROL, *items, collection_id=collection_id)

    job = redriven(world, job_id)

    assert errors(world, job) == {"known": None, "new": "subject_unknown"}
    assert world.items(job.id)["known"].subject_id == subject_of(world, "known")
    assert "submit it anew" in (world.items(job.id)["new"].error_message or "")


@pytest.mark.parametrize("scrubbed", [False, True], ids=["at once", "after the scrubbing"])
@pytest.mark.parametrize("operation", [Operation.ENROL, Operation.VERIFY])
def test_a_person_who_was_deleted_fails_the_item_alone(
    world: TenantWorld, operation: Operation, scrubbed: bool
) -> None:
    collection_id = world.collection()
    people = [ItemRequest(n, world.uri(f"{n}.jpg"), subject=n) for n in ("gone", "there")]
    first = fail(world.submit(Operation.ENROL, *people, collection_id=collection_id))
    if operation is Operation.VERIFY:
        first = fail(world.submit(operation, *people, collection_id=collection_id))
    delete_subject(world.tenant_id, collection_id, subject_of(world, "gone"), SYSTEM)
    if scrubbed:
        scrubbed_to_the_end(world)

    job = redriven(world, first)

    assert errors(world, job)["there"] is None
    assert errors(world, job)["gone"] == ("subject_unknown" if scrubbed else "subject_deleted")
    assert world.items(job.id)["gone"].subject_id is None
    assert (job.state, job.open_items, job.failed_items) == (JobState.QUEUED, 1, 1)


def test_faces_of_nobody_are_enrolled_again(world: TenantWorld) -> None:
    job_id = world.submit(
        Operation.ENROL,
        ItemRequest("a", world.uri("a.jpg")),
        collection_id=world.collection(),
        options=JobOptions(enrol_faces="all"),
    )
    assert errors(world, redriven(world, fail(job_id))) == {"a": None}


def test_what_no_try_can_help_fails_with_what_it_failed_with(world: TenantWorld) -> None:
    missing = new_id()
    items = (
        ItemRequest("image", image_id=missing, reference=world.uri("b.jpg")),
        ItemRequest("reference", world.uri("a.jpg"), reference_id=missing),
        ItemRequest("claim", world.uri("a.jpg"), subject="nobody"),
        ItemRequest("name", world.uri("a.jpg"), subject="x" * 201),
    )
    job_id = world.submit(Operation.VERIFY, *items, collection_id=world.collection())
    before = world.items(job_id)

    job = redriven(world, job_id)

    assert errors(world, job) == {
        "image": "image_not_found",
        "reference": "image_not_found",
        "claim": "subject_unknown",
        "name": "subject_invalid",
    }
    messages = {name: item.error_message for name, item in world.items(job.id).items()}
    assert messages == {name: item.error_message for name, item in before.items()}
    assert (job.state, job.open_items, job.finished_at is None) == (JobState.SUCCEEDED, 0, False)
    assert [s.state for s in world.shards(job.id)] == [ShardState.DONE]


def test_a_place_that_was_too_long_does_not_become_another_by_being_cut(
    world: TenantWorld,
) -> None:
    job_id = world.submit(Operation.DETECT, ItemRequest("a", world.uri("x" * 3000)))

    (item,) = world.items(redriven(world, job_id).id).values()

    with tenant_transaction(world.tenant_id) as session:
        refusal = readable_storage(session, world.tenant_id).refusal(item.image_uri)
    assert isinstance(refusal, LocationInvalid)
    assert "2048 characters at most" in refusal.message


def test_what_was_canceled_is_not_what_failed(world: TenantWorld) -> None:
    job_id = submitted(world, 300)
    close_item(job_id, 7, error="no_face")
    cancel_job(world.tenant_id, job_id, SYSTEM)

    assert list(world.items(redriven(world, job_id).id)) == ["i7"]


def test_of_a_job_of_which_nothing_can_be_tried_webhooks_tell(world: TenantWorld) -> None:
    job_id = world.submit(Operation.DETECT, ItemRequest("a", image_id=new_id()))
    create_endpoint(world.tenant_id, NewEndpoint("https://example.org", ["job.succeeded"]), SYSTEM)

    job = redriven(world, job_id)

    assert [row.job_id for row in world.query("SELECT job_id FROM webhook_deliveries")] == [job.id]
