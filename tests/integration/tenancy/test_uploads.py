"""Whatever becomes of an upload, no object is left that nothing names."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from app.adapters.s3 import ObjectStore
from app.config import Settings
from app.database.transactions import owner_transaction
from app.domain.actor import SYSTEM
from app.domain.storage import ObjectLocation
from app.services.tenancy import uploads
from app.services.tenancy.uploads import upload_image
from app.services.upkeep.purge_expired import purge_expired
from tests.factories.callers import Caller, make_caller
from tests.factories.images import png
from tests.factories.tenant_world import TenantWorld

pytestmark = pytest.mark.stack

NOBODY = "http://127.0.0.1:1"


class Crash(BaseException):
    """The end of the process, as far as a transaction can tell."""


@dataclass(frozen=True)
class DyingStore(ObjectStore):
    """Takes its process down when an upload is written, or once it is."""

    after: bool = False

    def write(self, location: ObjectLocation, content: bytes, content_type: str) -> None:
        if self.after:
            super().write(location, content, content_type)
        raise Crash


@pytest.fixture
def caller(app: Flask) -> Caller:
    return make_caller(app)


@pytest.fixture
def world(caller: Caller) -> TenantWorld:
    return TenantWorld(caller.tenant_id)


def store(settings: Settings) -> ObjectStore:
    return ObjectStore.from_settings(settings)


def post(caller: Caller, key: str | None = None) -> TestResponse:
    headers = {"Idempotency-Key": key} if key else {}
    data = {"file": (BytesIO(png()), "a.png")}
    return caller.post("/images", data=data, headers=headers)


def rows(world: TenantWorld) -> list[UUID]:
    return [row.id for row in world.query("SELECT id FROM images ORDER BY id")]


def objects(world: TenantWorld, settings: Settings) -> list[str]:
    listed = store(settings).client.list_objects_v2(
        Bucket=world.bucket, Prefix=f"uploads/{world.tenant_id}/"
    )
    return [found["Key"].rpartition("/")[2] for found in listed.get("Contents", ())]


def actions(world: TenantWorld) -> list[str]:
    statement = "SELECT action FROM audit_events WHERE action LIKE 'image.%'"
    return [row.action for row in world.query(statement)]


def use_s3(app: Flask, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Let the application's S3 be another."""
    changed = app.config["SETTINGS"].model_copy(update=changes)
    monkeypatch.setitem(app.config, "SETTINGS", changed)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("key", [None, "key-1"])
def test_what_a_crash_leaves_of_an_upload_is_removed_by_retention(
    caller: Caller,
    world: TenantWorld,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    after: bool,
    key: str | None,
) -> None:
    real = store(settings)
    dying = DyingStore(real.client, real.max_bytes, after=after)
    monkeypatch.setattr(uploads, "object_store", lambda _: dying)

    with pytest.raises(Crash):
        post(caller, key)

    (image_id,) = rows(world)
    assert objects(world, settings) == ([str(image_id)] if after else [])
    assert actions(world) == []
    with owner_transaction() as session:
        old = "UPDATE images SET created_at = now() - interval '31 days' WHERE id = :id"
        session.execute(text(old), {"id": image_id})
    purge_expired(real)
    assert rows(world) == []
    assert objects(world, settings) == []


@pytest.mark.parametrize("key", [None, "key-1"])
def test_an_upload_that_s3_refuses_leaves_nothing(
    app: Flask,
    caller: Caller,
    world: TenantWorld,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    key: str | None,
) -> None:
    use_s3(app, monkeypatch, aws_secret_access_key="not the key")

    response = post(caller, key)

    assert (response.status_code, response.get_json()["code"]) == (503, "unavailable")
    assert response.headers["Retry-After"] == "5"
    assert rows(world) == []
    assert objects(world, settings) == []
    assert actions(world) == []


def test_an_upload_that_s3_does_not_answer_keeps_its_row_for_retention(
    app: Flask, caller: Caller, world: TenantWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_s3(app, monkeypatch, aws_endpoint_url_s3=NOBODY)

    response = post(caller)

    assert (response.status_code, response.get_json()["code"]) == (503, "unavailable")
    assert response.headers["Retry-After"] == "5"
    assert len(rows(world)) == 1
    assert actions(world) == []


def test_an_upload_that_failed_can_be_sent_again_under_its_key(
    app: Flask,
    caller: Caller,
    world: TenantWorld,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as refused:
        use_s3(app, refused, aws_secret_access_key="not the key")
        post(caller, "key-1")

    image_id = post(caller, "key-1").get_json()["id"]

    assert objects(world, settings) == [image_id]


def test_an_upload_sent_again_is_the_same_image(
    caller: Caller, world: TenantWorld, settings: Settings
) -> None:
    first, again = post(caller, "key-1"), post(caller, "key-1")

    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.data == first.data
    assert rows(world) == [UUID(first.get_json()["id"])]
    assert objects(world, settings) == [first.get_json()["id"]]
    assert actions(world) == ["image.uploaded"]


def test_an_upload_is_told_of_once_its_object_is_there(
    caller: Caller, world: TenantWorld, settings: Settings
) -> None:
    image = upload_image(caller.tenant_id, png(), SYSTEM)

    assert objects(world, settings) == [str(image.id)]
    assert actions(world) == ["image.uploaded"]
