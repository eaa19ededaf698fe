"""What has been kept long enough goes, and nothing else."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from flask import current_app
from sqlalchemy import text

from app.adapters.s3 import ObjectStore
from app.database.transactions import owner_transaction, tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.identifiers import id_floor
from app.domain.item_errors import StorageUnavailable
from app.domain.job_request import ItemRequest
from app.domain.lease import Holder, ShardRef
from app.domain.states import Operation
from app.domain.storage import ObjectLocation
from app.domain.windows import Window
from app.services.jobs import delete_job as delete_job_module
from app.services.jobs.cancel_job import cancel_job
from app.services.jobs.delete_job import _remove_batch, remove_deleted_jobs
from app.services.jobs.read_jobs import list_jobs
from app.services.leases.begin_shard import begin_shard
from app.services.leases.lease_shards import lease_shard
from app.services.results.job_batch import ShardResults
from app.services.results.store_results import store_results
from app.services.upkeep import purge_expired as purge_expired_module
from app.services.upkeep.ensure_partitions import ensure_partitions
from app.services.upkeep.purge_expired import Purged, purge_expired
from tests.factories.outcomes import outcome
from tests.factories.tenant_world import TenantWorld

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked", "empty_database")]

TABLES = ("jobs", "items", "shards", "detections")


def finished_job(world: TenantWorld) -> UUID:
    job_id = world.submit(Operation.DETECT, ItemRequest("a", world.uri("a.jpg")))
    lease = lease_shard(ShardRef(job_id, 0), Holder("worker@here/1", 1), 30)
    assert lease is not None
    begin_shard(lease)
    store_results(world.tenant_id, [ShardResults(lease, (outcome(0),))])
    return job_id


def age(job_id: UUID, days: int) -> None:
    execute(
        "UPDATE jobs SET finished_at = now() - make_interval(days => :days) WHERE id = :id",
        days=days,
        id=job_id,
    )


def execute(statement: str, **parameters: object) -> None:
    with owner_transaction() as session:
        session.execute(text(statement), parameters)


def rows(world: TenantWorld) -> dict[str, int]:
    return {table: world.query(f"SELECT count(*) AS n FROM {table}")[0].n for table in TABLES}


def purge() -> Purged:
    return purge_expired(ObjectStore.from_settings(current_app.config["SETTINGS"]))


def test_a_job_past_its_time_goes_with_all_that_belongs_to_it(world: TenantWorld) -> None:
    age(finished_job(world), days=31)

    assert purge().jobs == 1

    assert rows(world) == dict.fromkeys(TABLES, 0)


def test_a_large_job_past_its_time_goes_in_slices_and_goes_on_after_a_kill(
    world: TenantWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge_expired_module, "_ITEMS_AT_ONCE", 2)
    monkeypatch.setattr(delete_job_module, "_ITEMS_A_BATCH", 2)
    items = (ItemRequest(str(n), world.uri(f"{n}.jpg")) for n in range(5))
    job_id = world.submit(Operation.DETECT, *items)
    cancel_job(world.tenant_id, job_id, SYSTEM)
    age(job_id, days=31)

    assert purge().jobs == 1
    assert list_jobs(world.tenant_id, Window(1)) == []

    with monkeypatch.context() as mortal:
        mortal.setattr(delete_job_module, "_remove_batch", dies_at_the_second(_remove_batch))
        with pytest.raises(KeyboardInterrupt):
            remove_deleted_jobs()
    assert (rows(world)["jobs"], rows(world)["items"]) == (1, 3)
    assert remove_deleted_jobs() == 1
    assert rows(world) == dict.fromkeys(TABLES, 0)


def dies_at_the_second(remove: Callable[..., None]) -> Callable[..., None]:
    slices = 0

    def mortal(*arguments: Any) -> None:
        nonlocal slices
        slices += 1
        if slices == 2:
            raise KeyboardInterrupt
        remove(*arguments)

    return mortal


def test_a_job_within_its_time_stays_whole(world: TenantWorld) -> None:
    age(finished_job(world), days=29)

    assert purge().jobs == 0

    assert rows(world) == dict.fromkeys(TABLES, 1)


def test_a_job_that_still_waits_is_never_removed(world: TenantWorld) -> None:
    world.submit(Operation.DETECT, ItemRequest("a", world.uri("a.jpg")))
    execute("UPDATE jobs SET created_at = now() - interval '400 days'")

    assert purge().jobs == 0


@pytest.fixture
def old_month(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A month of half a year ago with partitions, in which the jobs of this test are made."""
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(days=200)
    start = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = (start + dt.timedelta(days=32)).replace(day=1)
    month = start.strftime("%Y%m")
    for table in TABLES:
        execute(
            f"CREATE TABLE {table}_{month} PARTITION OF {table} "
            f"FOR VALUES FROM ('{id_floor(start)}') TO ('{id_floor(end)}')"
        )
    monkeypatch.setattr("app.services.jobs.new_job.new_id", lambda: id_floor(moment))
    yield month
    execute("TRUNCATE jobs, items, shards, detections")
    execute("SELECT drop_job_partitions('0 s')")


def test_a_month_whose_jobs_are_all_past_their_time_is_dropped_whole(
    world: TenantWorld, old_month: str
) -> None:
    age(finished_job(world), days=199)
    assert partition_rows("jobs", old_month) == 1

    assert purge().months == 1

    assert rows(world) == dict.fromkeys(TABLES, 0)
    assert not any(partition_exists(table, old_month) for table in TABLES)


def test_a_month_with_one_living_job_stays(world: TenantWorld, old_month: str) -> None:
    world.submit(Operation.DETECT, ItemRequest("a", world.uri("a.jpg")))

    assert purge().months == 0

    assert partition_rows("jobs", old_month) == 1


def test_a_month_with_one_job_still_kept_stays(world: TenantWorld, old_month: str) -> None:
    age(finished_job(world), days=3)

    assert purge().months == 0

    assert partition_rows("jobs", old_month) == 1


def test_the_months_ahead_have_partitions() -> None:
    ensure_partitions()

    now = dt.datetime.now(dt.UTC)
    ahead = [(now.replace(day=1) + dt.timedelta(days=32 * n)).strftime("%Y%m") for n in range(4)]
    assert all(partition_exists(table, month) for table in TABLES for month in ahead)


def test_making_partitions_again_makes_none() -> None:
    ensure_partitions()

    assert ensure_partitions() == 0


def old_upload(world: TenantWorld, name: str) -> None:
    execute(
        "INSERT INTO images (id, tenant_id, uri, sha256, content_type, width, height, byte_count, "
        "created_at) VALUES (gen_random_uuid(), :tenant, :uri, decode(repeat('00', 32), 'hex'), "
        "'image/jpeg', 1, 1, 6, now() - interval '31 days')",
        tenant=world.tenant_id,
        uri=world.put(name, b"pixels"),
    )


def test_an_uploads_object_goes_before_its_row(world: TenantWorld) -> None:
    old_upload(world, "old.jpg")

    assert purge().images == 1

    store = ObjectStore.from_settings(current_app.config["SETTINGS"])
    listed = store.client.list_objects_v2(Bucket=world.bucket, Prefix=f"{world.tenant_id}/old")
    assert listed["KeyCount"] == 0
    assert world.query("SELECT id FROM images") == []


def test_all_uploads_past_their_time_go_however_many(
    world: TenantWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge_expired_module, "_IMAGES_A_BATCH", 2)
    for number in range(5):
        old_upload(world, f"{number}.jpg")

    assert purge().images == 5


def test_an_upload_that_s3_does_not_let_go_keeps_no_other(
    world: TenantWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge_expired_module, "_IMAGES_A_BATCH", 1)
    for name in ("stuck.jpg", "other.jpg"):
        old_upload(world, name)

    class Reluctant(ObjectStore):
        def delete(self, location: ObjectLocation) -> None:
            if location.key.endswith("stuck.jpg"):
                raise StorageUnavailable("not this one")
            super().delete(location)

    purged = purge_expired(Reluctant.from_settings(current_app.config["SETTINGS"]))

    assert purged.images == 1
    assert [row.uri for row in world.query("SELECT uri FROM images")] == [world.uri("stuck.jpg")]


def test_a_month_that_somebody_reads_just_now_is_left_for_later_and_the_rest_is_purged(
    world: TenantWorld, old_month: str
) -> None:
    age(finished_job(world), days=199)
    old_upload(world, "old.jpg")
    began = time.monotonic()

    with tenant_transaction(world.tenant_id) as session:
        session.execute(text("SELECT count(*) FROM detections"))
        purged = purge()

    assert (purged.months, purged.images) == (0, 1)
    assert time.monotonic() - began < 3
    assert partition_exists("jobs", old_month)


def test_jobs_in_the_default_partition_do_not_keep_other_months_from_being_made(
    world: TenantWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = [month_ahead(number) for number in (1, 2, 3)]
    for month in ahead:
        for table in reversed(TABLES):
            drop_partition(table, f"{month:%Y%m}")
    monkeypatch.setattr("app.services.jobs.new_job.new_id", lambda: id_floor(ahead[1]))
    world.submit(Operation.DETECT, ItemRequest("a", world.uri("a.jpg")))

    ensure_partitions()

    exist = [partition_exists("jobs", f"{month:%Y%m}") for month in ahead]
    execute("TRUNCATE jobs, items, shards, detections")
    ensure_partitions()
    assert exist == [True, False, True]


def month_ahead(number: int) -> dt.datetime:
    start = dt.datetime.now(dt.UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (start + dt.timedelta(days=32 * number)).replace(day=1)


def drop_partition(table: str, month: str) -> None:
    """Detached first: dropping with CASCADE takes the foreign keys of the whole table along."""
    if partition_exists(table, month):
        execute(f"ALTER TABLE {table} DETACH PARTITION {table}_{month}")
        execute(f"DROP TABLE {table}_{month}")


def partition_exists(table: str, month: str) -> bool:
    with owner_transaction() as session:
        name = f"public.{table}_{month}"
        return session.execute(text("SELECT to_regclass(:n)"), {"n": name}).scalar() is not None


def partition_rows(table: str, month: str) -> int:
    with owner_transaction() as session:
        return int(session.execute(text(f"SELECT count(*) FROM {table}_{month}")).scalar_one())
