"""What cannot be done is said with a code of its own, at the request or on the item."""

from __future__ import annotations

import pytest
from flask import current_app

from app.adapters.s3 import ObjectStore
from app.domain.identifiers import new_id
from app.domain.item_errors import (
    BucketForbidden,
    ImageTooLarge,
)
from app.domain.job_request import ItemRequest
from app.domain.lease import Holder, Lease, ShardRef
from app.domain.request_errors import (
    ModelMismatch,
    NotFound,
)
from app.domain.states import Operation
from app.domain.storage import ObjectLocation
from app.services.gallery.offered_model import offered_model
from app.services.leases.begin_shard import begin_shard
from app.services.leases.lease_shards import lease_shard
from app.services.tenancy.storage_places import deny_location
from tests.factories.tenant_world import TenantWorld
from workers.recognition.loaded_pipeline import configured_model
from workers.recognition.open_work import OpenWork

pytestmark = pytest.mark.stack


def test_another_model_than_the_collections_is_refused(world: TenantWorld) -> None:
    collection = world.collection(model="SFace@of-last-year")

    with pytest.raises(ModelMismatch) as refused:
        world.submit(
            Operation.IDENTIFY,
            ItemRequest("a", world.uri("a.jpg")),
            collection_id=collection,
            model="SFace",
        )

    assert refused.value.code == "model_dimension_mismatch"
    assert refused.value.errors[0].pointer == "/model"


def test_flip_averaging_is_another_model_to_a_collection(
    world: TenantWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """API and worker name it alike, and no vector of it can reach a collection made before."""
    collection = world.collection()
    before = offered_model(None).identity
    settings = current_app.config["SETTINGS"].model_copy(update={"face_flip_averaging": True})
    monkeypatch.setitem(current_app.config, "SETTINGS", settings)

    assert configured_model() == offered_model(None).identity != before
    with pytest.raises(ModelMismatch):
        world.submit(
            Operation.IDENTIFY,
            ItemRequest("a", world.uri("a.jpg")),
            collection_id=collection,
            model="SFace",
        )


def test_a_collection_that_is_not_there_is_refused(world: TenantWorld) -> None:
    with pytest.raises(NotFound):
        world.submit(
            Operation.IDENTIFY, ItemRequest("a", world.uri("a.jpg")), collection_id=new_id()
        )


@pytest.mark.usefixtures("parked")
def test_a_bucket_taken_from_the_tenant_meanwhile_is_not_read(world: TenantWorld) -> None:
    lease = leased_shard(world, world.put("a.jpg", b"pixels"))
    assert next(opened(lease).inputs()).load() == b"pixels"

    deny_location(world.tenant_id, ObjectLocation(world.bucket, str(world.tenant_id)))

    with pytest.raises(BucketForbidden):
        next(opened(lease).inputs()).load()


@pytest.mark.usefixtures("parked")
def test_an_object_over_the_size_limit_is_refused_before_it_is_read(world: TenantWorld) -> None:
    too_much = current_app.config["SETTINGS"].max_upload_size + 1
    work = opened(leased_shard(world, world.put("huge.jpg", bytes(too_much))))

    with pytest.raises(ImageTooLarge, match=str(too_much)):
        next(work.inputs()).load()


def leased_shard(world: TenantWorld, uri: str) -> Lease:
    job_id = world.submit(Operation.DETECT, ItemRequest("a", uri))
    lease = lease_shard(ShardRef(job_id, 0), Holder("worker@here/9", 1), 30)
    assert lease is not None
    return lease


def opened(lease: Lease) -> OpenWork:
    """The shard as a worker opens it."""
    work = begin_shard(lease)
    assert work is not None
    settings = current_app.config["SETTINGS"]
    return OpenWork(work, ObjectStore.from_settings(settings), settings)
