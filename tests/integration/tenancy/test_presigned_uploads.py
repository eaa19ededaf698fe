"""Whatever becomes of an upload that a client sends itself, nothing of it stays for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from app.adapters.s3 import ObjectStore
from app.config import Settings
from app.database.transactions import owner_transaction
from app.domain.actor import SYSTEM
from app.domain.presigned_upload import UploadPromise
from app.domain.storage import ObjectLocation
from app.models.image import Image
from app.services.jobs.erase_tenant import erase_tenant
from app.services.tenancy import presigned_uploads
from app.services.tenancy.presigned_uploads import complete_upload, presign_upload
from app.services.upkeep.purge_expired import purge_expired
from tests.factories.callers import Caller, make_caller
from tests.factories.images import png
from tests.factories.presigned import presign, send
from tests.factories.tenant_world import TenantWorld

pytestmark = pytest.mark.stack

AT_ONCE = 6


class Crash(BaseException):
    """The end of the process, as far as a transaction can tell."""


class DyingStore(ObjectStore):
    """Takes its process down when an image is written."""

    def write(self, *_args: Any) -> None:
        raise Crash


@pytest.fixture
def caller(app: Flask) -> Caller:
    return make_caller(app)


@pytest.fixture
def world(caller: Caller) -> TenantWorld:
    return TenantWorld(caller.tenant_id)


def store(settings: Settings) -> ObjectStore:
    return ObjectStore.from_settings(settings)


def objects(world: TenantWorld, settings: Settings) -> list[str]:
    """The keys of all that the tenant has in the bucket for uploads, without its own id."""
    listed = store(settings).client.list_objects_v2(Bucket=world.bucket, Prefix="uploads/")
    keys = [found["Key"] for found in listed.get("Contents", ())]
    return [key.replace(str(world.tenant_id), "T") for key in keys if str(world.tenant_id) in key]


def rows(world: TenantWorld, table: str) -> list[UUID]:
    return [row.id for row in world.query(f"SELECT id FROM {table}")]


def age(image_id: str, interval: str) -> None:
    statement = "UPDATE presigned_uploads SET expires_at = now() - :age WHERE id = :id"
    with owner_transaction() as session:
        session.execute(
            text(statement.replace(":age", "CAST(:age AS interval)")),
            {"age": interval, "id": image_id},
        )


def test_what_is_sent_and_never_completed_is_removed_with_its_row(
    caller: Caller, world: TenantWorld, settings: Settings
) -> None:
    presigned = presign(caller, png())
    send(presigned, png())
    assert objects(world, settings) == [f"uploads/incoming/T/{presigned['id']}"]
    age(presigned["id"], "59 minutes")  # what began to be sent in time may still arrive
    purge_expired(store(settings))
    assert rows(world, "presigned_uploads") == [UUID(presigned["id"])]

    age(presigned["id"], "61 minutes")
    purge_expired(store(settings))

    assert rows(world, "presigned_uploads") == []
    assert objects(world, settings) == []


def test_what_is_sent_again_after_completion_is_removed_and_the_image_stays(
    caller: Caller, world: TenantWorld, settings: Settings
) -> None:
    presigned = presign(caller, png())
    send(presigned, png())
    complete_upload(caller.tenant_id, UUID(presigned["id"]), SYSTEM)
    send(presigned, png())

    age(presigned["id"], "61 minutes")
    purge_expired(store(settings))

    assert objects(world, settings) == [f"uploads/T/{presigned['id']}"]
    assert rows(world, "images") == [UUID(presigned["id"])]


def test_an_object_that_s3_does_not_let_go_keeps_its_row(
    caller: Caller, world: TenantWorld, settings: Settings
) -> None:
    presigned = presign(caller, png())
    age(presigned["id"], "61 minutes")
    away = settings.model_copy(update={"aws_endpoint_url_s3": "http://127.0.0.1:1"})

    purge_expired(ObjectStore.from_settings(away, attempts=1))

    assert rows(world, "presigned_uploads") == [UUID(presigned["id"])]


def test_a_completion_that_a_crash_cut_short_is_used_by_no_job_and_can_be_asked_for_again(
    caller: Caller, world: TenantWorld, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    presigned = presign(caller, png())
    send(presigned, png())
    real = store(settings)
    with monkeypatch.context() as crashing:
        dying = DyingStore(real.client, real.max_bytes)
        crashing.setattr(presigned_uploads, "object_store", lambda _: dying)
        with pytest.raises(Crash):
            complete_upload(caller.tenant_id, UUID(presigned["id"]), SYSTEM)
    body = {
        "operation": "detect",
        "items": [{"custom_id": "a", "image_id": presigned["id"]}],
    }
    job = caller.post("/jobs", json=body).get_json()
    assert job["errors_by_code"] == {"image_not_completed": 1}

    complete_upload(caller.tenant_id, UUID(presigned["id"]), SYSTEM)

    assert objects(world, settings) == [f"uploads/T/{presigned['id']}"]


def test_completed_by_several_at_once_it_is_one_image_of_one_digest(
    app: Flask, caller: Caller, world: TenantWorld
) -> None:
    presigned = presign(caller, png())
    send(presigned, png())

    def complete(_: int) -> Image:
        with app.app_context():
            return complete_upload(caller.tenant_id, UUID(presigned["id"]), SYSTEM)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        digests = {image.sha256 for image in pool.map(complete, range(AT_ONCE))}

    assert len(digests) == 1
    events = world.query("SELECT action FROM audit_events WHERE action = 'image.uploaded'")
    assert len(events) == 1


def test_a_call_that_finds_the_object_gone_answers_what_another_has_made_of_it_meanwhile(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    presigned = presign(caller, png())
    send(presigned, png())
    image_id = UUID(presigned["id"])
    looked = presigned_uploads._received

    def overtaken(incoming: ObjectLocation) -> bytes:
        monkeypatch.setattr(presigned_uploads, "_received", looked)
        complete_upload(caller.tenant_id, image_id, SYSTEM)
        return looked(incoming)

    monkeypatch.setattr(presigned_uploads, "_received", overtaken)

    assert complete_upload(caller.tenant_id, image_id, SYSTEM).id == image_id


def test_without_s3_nothing_is_completed_and_the_client_is_told_to_try_again(
    app: Flask, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    presigned = presign(caller, png())
    send(presigned, png())
    away = app.config["SETTINGS"].model_copy(update={"aws_endpoint_url_s3": "http://127.0.0.1:1"})
    with monkeypatch.context() as outage:
        outage.setitem(app.config, "SETTINGS", away)
        answer = caller.post(f"/images/{presigned['id']}/complete")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert caller.post(f"/images/{presigned['id']}/complete").status_code == 200


def test_erasing_a_tenant_takes_along_what_it_has_sent(
    caller: Caller, world: TenantWorld, settings: Settings
) -> None:
    send(presign(caller, png()), png())

    erase_tenant(caller.tenant_id)

    assert objects(world, settings) == []


def test_no_url_is_known_before_its_row_is_there(
    caller: Caller, world: TenantWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise Crash

    monkeypatch.setattr(presigned_uploads, "record_audit", refuse)

    with pytest.raises(Crash):
        presign_upload(caller.tenant_id, UploadPromise("image/png", 9), SYSTEM)

    assert rows(world, "presigned_uploads") == []
