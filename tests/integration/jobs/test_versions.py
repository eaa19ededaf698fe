"""Items that name their S3 object in one of its versions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask, current_app

from app.adapters.s3 import ObjectStore
from app.domain.item_errors import ImageNotFound
from app.domain.job_request import ItemRequest
from app.domain.lease import ShardRef
from app.domain.states import Operation
from app.domain.storage import ObjectLocation
from app.services.leases.begin_shard import begin_shard
from app.services.tenancy.storage_places import allow_location
from scripts.stack.state import State
from tests.factories.tenant_world import TenantWorld
from tests.factories.versioned_bucket import VersionedBucket, versioned_bucket
from tests.factories.worker_steps import leased
from tests.support.processes import Processes
from workers.recognition.open_work import OpenWork

pytestmark = pytest.mark.stack

# A key is opaque: what looks like a query is a part of it.
ODD_KEY = "a?versionId=1&b=%20 #c.jpg"


@pytest.fixture
def bucket(services: State, world: TenantWorld) -> Iterator[VersionedBucket]:
    """A bucket that the tenant may read."""
    with versioned_bucket(services) as made:
        allow_location(world.tenant_id, ObjectLocation(made.name, ""))
        yield made


@pytest.fixture
def store(app: Flask) -> ObjectStore:
    del app
    return ObjectStore.from_settings(current_app.config["SETTINGS"])


def test_a_version_is_read_beside_newer_ones(bucket: VersionedBucket, store: ObjectStore) -> None:
    first, second = bucket.put(ODD_KEY, b"first"), bucket.put(ODD_KEY, b"second")

    assert store.read(ObjectLocation(bucket.name, ODD_KEY, first)) == b"first"
    assert store.read(ObjectLocation(bucket.name, ODD_KEY, second)) == b"second"
    assert store.read(ObjectLocation(bucket.name, ODD_KEY)) == b"second"


def test_a_version_is_read_after_its_object_was_deleted(
    bucket: VersionedBucket, store: ObjectStore
) -> None:
    version = bucket.put("a", b"first")
    bucket.delete("a")

    assert store.read(ObjectLocation(bucket.name, "a", version)) == b"first"


@pytest.mark.parametrize("version", ["nothing", "null", "x" * 1024, "a b/?&ü"])
def test_a_version_that_is_not_there_is_an_image_that_is_not_found(
    bucket: VersionedBucket, store: ObjectStore, version: str
) -> None:
    bucket.put("a", b"first")

    with pytest.raises(ImageNotFound) as refused:
        store.read(ObjectLocation(bucket.name, "a", version))

    assert f"s3://{bucket.name}/a in version {version}" in refused.value.message


def test_a_bucket_without_versions_has_not_the_one_that_is_named(
    world: TenantWorld, store: ObjectStore
) -> None:
    place = ObjectLocation.parse(world.uri("a.jpg"))
    store.write(place, b"image", "image/jpeg")

    with pytest.raises(ImageNotFound):
        store.read(replace(place, version="made-up"))
    assert store.read(replace(place, version="null")) == b"image"


def test_a_delete_marker_is_no_image(bucket: VersionedBucket, store: ObjectStore) -> None:
    bucket.put("a", b"first")
    marker = bucket.delete("a")

    with pytest.raises(ImageNotFound):
        store.read(ObjectLocation(bucket.name, "a", marker))


@pytest.mark.usefixtures("parked")
def test_a_worker_loads_the_versions_that_an_item_names(
    world: TenantWorld, bucket: VersionedBucket, store: ObjectStore
) -> None:
    image, reference = bucket.put("a", b"image"), bucket.put("b", b"reference")
    bucket.put("a", b"newer")
    bucket.put("b", b"newer")
    item = ItemRequest(
        "a",
        image=bucket.uri("a"),
        image_version=image,
        reference=bucket.uri("b"),
        reference_version=reference,
    )
    work = begin_shard(leased(ShardRef(world.submit(Operation.VERIFY, item), 0)))
    assert work is not None

    inputs = OpenWork(work, store, current_app.config["SETTINGS"]).inputs()

    assert [found.load() for found in inputs] == [b"image", b"reference"]


@pytest.mark.usefixtures("workers")
def test_a_job_recognises_the_version_that_it_names(
    world: TenantWorld, bucket: VersionedBucket, portraits: Path, workers: Processes
) -> None:
    del workers
    first = bucket.put("a.jpg", (portraits / "obama.jpg").read_bytes())
    bucket.put("a.jpg", b"no image any more")

    job = world.run(
        Operation.DETECT,
        ItemRequest("old", bucket.uri("a.jpg"), image_version=first),
        ItemRequest("new", bucket.uri("a.jpg")),
        ItemRequest("none", bucket.uri("a.jpg"), image_version=first[::-1]),
    )

    items = world.items(job.id)
    assert {name: item.error_code for name, item in items.items()} == {
        "old": None,
        "new": "not_an_image",
        "none": "image_not_found",
    }
    assert len(world.faces(job.id, "old")) == 1
