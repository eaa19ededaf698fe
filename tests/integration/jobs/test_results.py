"""What a worker hands over becomes results once, whoever else may think it holds the shard."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.database.transactions import tenant_transaction
from app.domain.item_errors import ImageCorrupt
from app.domain.job_request import ItemRequest
from app.domain.lease import ShardRef
from app.domain.outcomes import FoundFace, FoundImage, ItemOutcome
from app.domain.states import JobState, Operation, ShardState
from app.services.leases.begin_shard import begin_shard
from app.services.leases.claim_hints import reclaim_expired_leases
from app.services.results.job_batch import ShardFate, ShardResults
from app.services.results.store_results import store_results
from tests.factories.outcomes import unit_vector
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import OTHER, begun, detect_job, expire, found, leased, store

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked")]


def test_counters_follow_each_batch(world: TenantWorld) -> None:
    lease = begun(detect_job(world))

    assert store(lease, *found(0)) is ShardFate.GOES_ON

    job = world.job(lease.shard.job_id)
    assert (job.open_items, job.succeeded_items, job.finished_at) == (2, 1, None)


def test_the_last_item_ends_the_job(world: TenantWorld) -> None:
    lease = begun(detect_job(world))

    assert store(lease, *found(0, 1, 2)) is ShardFate.ENDED

    job = world.job(lease.shard.job_id)
    (shard,) = world.shards(lease.shard.job_id)
    assert (job.state, job.open_items, job.succeeded_items) == (JobState.SUCCEEDED, 0, 3)
    assert (shard.state, shard.leased_until) == (ShardState.DONE, None)


def test_a_failed_item_is_counted_as_failed_and_keeps_its_error(world: TenantWorld) -> None:
    lease = begun(detect_job(world, 1))

    store(lease, ItemOutcome(0, error=ImageCorrupt("cut off")))

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

    store(lease, *found(0, 1))
    store(lease, *found(0, 1))

    assert world.job(lease.shard.job_id).succeeded_items == 2
    assert len(world.faces(lease.shard.job_id, "i0")) == 1


def test_whoever_lost_the_lease_writes_nothing(world: TenantWorld) -> None:
    late = begun(detect_job(world))
    expire(late)
    reclaim_expired_leases()  # or a running dispatcher was first
    new = leased(late.shard, OTHER)

    assert store(late, *found(0, 1, 2)) is ShardFate.LOST

    assert new.token > late.token
    assert world.job(late.shard.job_id).open_items == 3
    assert world.faces(late.shard.job_id, "i0") == []


def test_a_reclaimed_shard_is_done_by_the_next_worker_without_its_finished_items(
    world: TenantWorld,
) -> None:
    first = begun(detect_job(world))
    store(first, *found(0))
    expire(first)
    reclaim_expired_leases()

    work = begin_shard(leased(first.shard, OTHER))

    assert work is not None
    assert [item.seq for item in work.items] == [1, 2]


def test_shards_of_many_jobs_are_stored_in_one_transaction(world: TenantWorld) -> None:
    leases = [begun(detect_job(world, 2)) for _ in range(5)]
    results = [ShardResults(lease, found(0, 1)) for lease in leases]

    fates = store_results(world.tenant_id, results)

    assert set(fates.values()) == {ShardFate.ENDED}
    jobs = [world.job(lease.shard.job_id) for lease in leases]
    assert {(job.state, job.succeeded_items) for job in jobs} == {(JobState.SUCCEEDED, 2)}
    ids = [lease.shard.job_id for lease in leases]
    writers = world.query("SELECT DISTINCT xmin FROM detections WHERE job_id = ANY(:ids)", ids=ids)
    assert len(writers) == 1


def test_a_lost_shard_costs_its_neighbours_nothing(world: TenantWorld) -> None:
    late, held = begun(detect_job(world)), begun(detect_job(world))
    expire(late)
    reclaim_expired_leases()
    results = [ShardResults(late, found(0)), ShardResults(held, found(0))]

    fates = store_results(world.tenant_id, results)

    assert fates == {late.shard: ShardFate.LOST, held.shard: ShardFate.GOES_ON}
    assert world.job(late.shard.job_id).succeeded_items == 0
    assert world.job(held.shard.job_id).succeeded_items == 1


def test_two_shards_of_one_job_are_counted_apart(world: TenantWorld) -> None:
    first = detect_job(world, 300)
    leases = [begun(ShardRef(first.job_id, number)) for number in (0, 1)]
    results = [ShardResults(leases[0], found(0, 1)), ShardResults(leases[1], found(256, 257, 258))]

    store_results(world.tenant_id, results)

    assert [shard.open_items for shard in world.shards(first.job_id)] == [254, 41]
    assert world.job(first.job_id).succeeded_items == 5


def test_a_job_whose_collection_was_deleted_fails_and_its_neighbours_are_stored(
    world: TenantWorld,
) -> None:
    collection_id = world.collection()
    item = ItemRequest("a", world.uri("a.jpg"))
    homeless_id = world.submit(Operation.IDENTIFY, item, collection_id=collection_id)
    homeless, held = begun(ShardRef(homeless_id, 0)), begun(detect_job(world, 1))
    world.query("DELETE FROM collections WHERE id = :id RETURNING id", id=collection_id)

    fates = store_results(
        world.tenant_id, [ShardResults(homeless, found(0)), ShardResults(held, found(0))]
    )

    assert set(fates.values()) == {ShardFate.ENDED}
    failed = world.job(homeless_id)
    assert (failed.state, failed.failure_code) == (JobState.FAILED, "collection_deleted")
    assert world.job(held.shard.job_id).state == JobState.SUCCEEDED


def test_the_same_photograph_in_two_jobs_of_a_batch_enrols_once(world: TenantWorld) -> None:
    collection_id = world.collection()
    leases = [
        begun(
            ShardRef(
                world.submit(
                    Operation.ENROL,
                    ItemRequest("a", world.uri("a.jpg"), subject="ada"),
                    collection_id=collection_id,
                ),
                0,
            )
        )
        for _ in range(2)
    ]

    store_results(world.tenant_id, [ShardResults(lease, found(0)) for lease in leases])

    faces = [world.faces(lease.shard.job_id, "a")[0] for lease in leases]
    assert sorted((bool(face.enrolled), face.reason) for face in faces) == [
        (False, "already_enrolled"),
        (True, None),
    ]
    assert faces[0].face_id == faces[1].face_id
    (collection,) = world.query(
        "SELECT face_count FROM collections WHERE id = :id", id=collection_id
    )
    assert collection.face_count == 1


def test_a_detection_is_stored_as_it_was_found(world: TenantWorld) -> None:
    lease = begun(detect_job(world, 1))
    seen = FoundFace(
        0, (-3, 10, 80, 100), tuple(n + 0.25 for n in range(10)), 0.95, 0.5, unit_vector(7)
    )

    store(lease, ItemOutcome(0, FoundImage(b"\x01" * 32, 200, 100, (seen,))))

    (face,) = world.faces(lease.shard.job_id, "i0")
    item = world.items(lease.shard.job_id)["i0"]
    assert (face.box, face.landmarks) == (list(seen.box), list(seen.landmarks))
    assert (face.quality, face.decision, face.enrolled) == (0.5, None, None)
    assert face.embedding is None, "a result keeps no vector"
    assert (item.width, item.height, item.image_sha256) == (200, 100, b"\x01" * 32)


def test_a_batch_reads_no_other_item_of_a_large_job(world: TenantWorld) -> None:
    items = (ItemRequest(f"i{n}", world.uri(f"{n}.jpg"), subject="ada") for n in range(32))
    job_id = world.submit(Operation.ENROL, *items, collection_id=world.collection())
    lease = begun(ShardRef(job_id, 0))
    world.query(_MANY_MORE, job_id=job_id)

    with tenant_transaction(world.tenant_id) as session:
        before = session.execute(_ITEMS_READ).scalar_one()
        store_results(world.tenant_id, [ShardResults(lease, found(*range(32)))])
        read = session.execute(_ITEMS_READ).scalar_one() - before

    assert 0 < read < 200


# Not analysed: the planner does not know how large the job is.
_MANY_MORE = """
INSERT INTO items (job_id, seq, tenant_id, custom_id, image_uri, subject_id)
SELECT job_id, number, tenant_id, number, image_uri, subject_id
FROM items, generate_series(32, 30000) AS number WHERE job_id = :job_id AND seq = 0
RETURNING seq
"""
_ITEMS_READ = text(
    "SELECT coalesce(sum(idx_tup_fetch + seq_tup_read), 0) FROM pg_stat_xact_user_tables"
    " WHERE relname LIKE 'items_%'"
)
