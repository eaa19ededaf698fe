"""What counts as usage, wherever a job's items end."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from flask import current_app

from app.adapters.s3 import ObjectStore
from app.database.transactions import owner_transaction, tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.identifiers import new_id
from app.domain.item_errors import ImageCorrupt
from app.domain.job_request import ItemRequest
from app.domain.lease import ShardRef
from app.domain.outcomes import FoundImage, ItemOutcome
from app.domain.states import Operation
from app.services.gallery.subjects import delete_subject
from app.services.jobs.cancel_job import cancel_job
from app.services.jobs.delete_job import delete_job
from app.services.jobs.make_job import append_items
from app.services.jobs.redrive_job import redrive_job
from app.services.jobs.resolve_items import ResolvedItems
from app.services.results.bury_item import bury_item
from app.services.upkeep.purge_expired import purge_expired
from app.services.upkeep.roll_up_usage import roll_up_usage
from tests.factories.outcomes import face, outcome
from tests.factories.prepared_jobs import append, preparing
from tests.factories.tenant_world import TenantWorld
from tests.factories.usage import images_by_outcome, inference_ms, notes, rolled_up
from tests.factories.worker_steps import begun, detect_job, expire, found, store

pytestmark = pytest.mark.stack


def test_items_and_faces_are_counted_by_outcome_in_the_batch_that_closes_them(
    world: TenantWorld,
) -> None:
    lease = begun(detect_job(world, 4))
    two = FoundImage(b"0" * 32, 9, 9, (face(0), face(1, 1)))
    store(lease, ItemOutcome(0, two), ItemOutcome(1, two, error=ImageCorrupt("broken")))
    store(lease, *found(2))

    roll_up_usage()

    assert rolled_up(world.tenant_id) == {
        ("detect", "succeeded"): (2, 3, 0),
        ("detect", "failed"): (1, 2, 0),
    }


def test_seconds_of_inference_are_counted_whatever_became_of_the_image(world: TenantWorld) -> None:
    items = [ItemRequest(name, world.uri(name), subject="ada") for name in ("a.jpg", "b.jpg")]
    job_id = world.submit(Operation.ENROL, *items, collection_id=world.collection())
    nobody = FoundImage(b"0" * 32, 9, 9)
    one, none = outcome(0), ItemOutcome(1, nobody)
    lease = begun(ShardRef(job_id, 0))
    store(lease, replace(one, inference_s=0.25), replace(none, inference_s=1.5))

    roll_up_usage()

    assert inference_ms(world.tenant_id) == {"succeeded": 250, "failed": 1500}


def test_results_that_come_twice_are_counted_once(world: TenantWorld) -> None:
    lease = begun(detect_job(world, 3))
    store(lease, *found(0, 1))
    store(lease, *found(1, 2))

    roll_up_usage()

    assert rolled_up(world.tenant_id) == {("detect", "succeeded"): (3, 3, 0)}


def test_results_of_a_lost_lease_are_not_counted(world: TenantWorld) -> None:
    shard = detect_job(world)
    lost = begun(shard)
    expire(lost)
    with owner_transaction() as session:
        session.connection().exec_driver_sql(
            "UPDATE shards SET lease_token = lease_token + 1 WHERE job_id = %s",
            (str(shard.job_id),),
        )
    store(lost, *found(0))

    assert notes(world.tenant_id) == 0


def test_what_is_canceled_counts_as_that(world: TenantWorld) -> None:
    shard = detect_job(world, 3)
    lease = begun(shard)
    store(lease, *found(0))
    cancel_job(world.tenant_id, shard.job_id, SYSTEM)
    store(lease, *found(1))

    roll_up_usage()

    assert images_by_outcome(world.tenant_id) == {"succeeded": 2, "canceled": 1}


def test_what_fails_as_the_job_is_made_is_counted(world: TenantWorld) -> None:
    collection = world.collection()
    unknown = ItemRequest("a", world.uri("a.jpg"), subject="nobody")
    world.submit(Operation.VERIFY, unknown, collection_id=collection)

    roll_up_usage()

    assert rolled_up(world.tenant_id) == {("verify", "failed"): (1, 0, 0)}


def test_items_of_a_job_that_was_never_sealed_are_counted(world: TenantWorld) -> None:
    job_id = preparing(world, f"SFace@{new_id()}")
    append(world, job_id, "a", "b")
    cancel_job(world.tenant_id, job_id, SYSTEM)

    roll_up_usage()

    assert images_by_outcome(world.tenant_id) == {"canceled": 2}


def test_what_fails_as_it_is_appended_is_counted(world: TenantWorld) -> None:
    job_id = preparing(world, f"SFace@{new_id()}")
    nobody = {"error_code": "subject_unknown", "error_message": "there is none"}
    rows = [
        {"custom_id": name, "image_uri": "", "reference_uri": None, "subject_id": None, **fault}
        for name, fault in (("a", nobody), ("b", nobody), ("c", {}))
    ]
    with tenant_transaction(world.tenant_id) as session:
        append_items(session, job_id, ResolvedItems(rows))

    roll_up_usage()

    assert images_by_outcome(world.tenant_id) == {"failed": 2}


def test_a_person_that_is_gone_by_then_takes_no_inference_back(world: TenantWorld) -> None:
    collection = world.collection()
    item = ItemRequest("a", world.uri("a.jpg"), subject="ada")
    job_id = world.submit(Operation.ENROL, item, collection_id=collection)
    (subject,) = world.query("SELECT id FROM subjects")
    delete_subject(world.tenant_id, collection, subject.id, SYSTEM)
    store(begun(ShardRef(job_id, 0)), replace(outcome(0), inference_s=0.25))

    roll_up_usage()

    assert inference_ms(world.tenant_id) == {"failed": 250}


def test_a_redriven_item_is_work_done_again(world: TenantWorld) -> None:
    shard = detect_job(world, 2)
    error = ImageCorrupt("broken")
    store(begun(shard), ItemOutcome(0, error=error), *found(1))
    again = redrive_job(world.tenant_id, shard.job_id, SYSTEM)
    store(begun(ShardRef(again.id, 0)), *found(0))

    roll_up_usage()

    assert images_by_outcome(world.tenant_id) == {"failed": 1, "succeeded": 2}


def test_a_redriven_item_that_no_try_can_help_is_counted_too(world: TenantWorld) -> None:
    unknown = ItemRequest("a", world.uri("a.jpg"), subject="nobody")
    failed = world.submit(Operation.VERIFY, unknown, collection_id=world.collection())
    redrive_job(world.tenant_id, failed, SYSTEM)

    roll_up_usage()

    assert images_by_outcome(world.tenant_id) == {"failed": 2}


def test_an_item_that_killed_its_workers_is_counted(world: TenantWorld) -> None:
    bury_item(begun(detect_job(world, 1)), 0)

    roll_up_usage()

    assert images_by_outcome(world.tenant_id) == {"failed": 1}


def test_usage_outlives_the_deletion_and_the_retention_of_its_jobs(world: TenantWorld) -> None:
    deleted, kept = detect_job(world, 1), detect_job(world, 1)
    for shard in (deleted, kept):
        store(begun(shard), *found(0))
    delete_job(world.tenant_id, deleted.job_id, SYSTEM)  # before anything was rolled up
    with owner_transaction() as session:
        session.connection().exec_driver_sql(
            "UPDATE jobs SET finished_at = %s WHERE id = %s",
            (dt.datetime.now(dt.UTC) - dt.timedelta(days=31), str(kept.job_id)),
        )
    purge_expired(ObjectStore.from_settings(current_app.config["SETTINGS"]))
    assert world.query("SELECT id FROM jobs") == []

    roll_up_usage()

    assert rolled_up(world.tenant_id) == {("detect", "succeeded"): (2, 2, 0)}
