"""An upload is completed while it is deleted: no object is left without a row, nor comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from app.adapters.s3 import ObjectStore
from app.config import Settings
from app.database.transactions import owner_transaction
from app.domain.actor import SYSTEM
from app.domain.item_errors import StorageUnavailable
from app.domain.request_errors import ImageNotUploaded, NotFound, StorageRefused
from app.domain.storage import ObjectLocation
from app.services.jobs.erase_tenant import erase_tenant
from app.services.tenancy import delete_images as deletion
from app.services.tenancy import presigned_uploads, uploads
from app.services.tenancy.delete_images import delete_image
from app.services.tenancy.presigned_uploads import complete_upload
from app.services.tenancy.uploads import upload_image
from app.services.upkeep.purge_expired import purge_expired
from tests.factories.callers import Caller, make_caller
from tests.factories.images import png
from tests.factories.presigned import presign, send
from tests.factories.tenant_world import TenantWorld

pytestmark = pytest.mark.stack

Step = Callable[[], object]
Meets = Callable[..., None]


@pytest.fixture
def caller(app: Flask) -> Caller:
    return make_caller(app)


@pytest.fixture
def world(caller: Caller) -> TenantWorld:
    return TenantWorld(caller.tenant_id)


@pytest.fixture
def sent(caller: Caller) -> UUID:
    """A presigned upload that lies in S3."""
    return sent_by(caller)


def sent_by(caller: Caller) -> UUID:
    presigned = presign(caller, png())
    assert send(presigned, png()) == 200
    return UUID(presigned["id"])


@pytest.fixture
def meets(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Meets:
    """Let the next image that is written meet something else, just before or just after that."""

    def install(*, before: Step | None = None, after: Step | None = None) -> None:
        real = ObjectStore.from_settings(settings)

        class Meeting(ObjectStore):
            def write(self, *args: Any) -> None:
                use(real)
                if before:
                    before()
                super().write(*args)
                if after:
                    after()

        use(Meeting(real.client, real.max_bytes, real.encryption))

    def use(store: ObjectStore) -> None:
        for module in (presigned_uploads, uploads):
            monkeypatch.setattr(module, "object_store", lambda _: store)

    return install


def held(world: TenantWorld, settings: Settings) -> tuple[set[str], set[str]]:
    """The ids of the tenant's images by their rows, and by their objects."""
    prefix = f"uploads/{world.tenant_id}/"
    place = ObjectLocation(world.bucket, prefix)
    keys = ObjectStore.from_settings(settings).keys(place)
    rows = {str(row.id) for row in world.query("SELECT id FROM images")}
    return rows, {key.removeprefix(prefix) for key in keys}


def complete(caller: Caller, image_id: UUID) -> None:
    complete_upload(caller.tenant_id, image_id, SYSTEM)


def delete(caller: Caller, image_id: UUID) -> None:
    delete_image(caller.tenant_id, image_id, SYSTEM)


def end(image_id: UUID) -> None:
    """Let the time of a presigned upload be over."""
    with owner_transaction() as session:
        session.execute(
            text("UPDATE presigned_uploads SET expires_at = now() - interval '2 h' WHERE id = :id"),
            {"id": image_id},
        )


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_is_deleted_while_it_is_written_is_gone_and_the_completion_says_so(
    caller: Caller, world: TenantWorld, settings: Settings, sent: UUID, meets: Meets, when: str
) -> None:
    meets(**{when: lambda: delete(caller, sent)})

    with pytest.raises(NotFound):
        complete(caller, sent)

    assert held(world, settings) == (set(), set())
    with pytest.raises(NotFound):  # it is not made anew of what still lies at its URL
        complete(caller, sent)


def test_a_deletion_that_looked_for_the_object_too_early_looks_again(
    app: Flask,
    caller: Caller,
    world: TenantWorld,
    settings: Settings,
    sent: UUID,
    meets: Meets,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its objects go before the image is written, its row after that is all done."""
    looked, completed = threading.Event(), threading.Event()
    remove = deletion._delete_objects

    def remove_then_wait(places: dict[UUID, ObjectLocation]) -> set[UUID]:
        kept = remove(places)
        looked.set()
        assert completed.wait(30)
        return kept

    def work() -> None:
        with app.app_context():
            delete(caller, sent)

    monkeypatch.setattr(deletion, "_delete_objects", remove_then_wait)
    with ThreadPoolExecutor(1) as pool:
        deleting: list[Any] = []

        def begin() -> None:
            deleting.append(pool.submit(work))
            assert looked.wait(30)

        meets(before=begin)
        complete(caller, sent)
        completed.set()
        deleting[0].result(timeout=30)

    assert held(world, settings) == (set(), set())


def test_a_second_completion_does_not_bring_back_what_was_deleted_after_the_first(
    caller: Caller,
    world: TenantWorld,
    settings: Settings,
    sent: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    received = presigned_uploads._received

    def overtaken(incoming: ObjectLocation) -> bytes:
        content = received(incoming)
        monkeypatch.setattr(presigned_uploads, "_received", received)
        complete(caller, sent)
        delete(caller, sent)
        return content

    monkeypatch.setattr(presigned_uploads, "_received", overtaken)

    with pytest.raises(NotFound):
        complete(caller, sent)

    assert held(world, settings) == (set(), set())


def test_what_s3_did_not_let_go_then_goes_with_what_is_left_of_the_upload(
    caller: Caller,
    world: TenantWorld,
    settings: Settings,
    sent: UUID,
    meets: Meets,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def keep(_self: ObjectStore, _place: ObjectLocation) -> None:
        raise StorageUnavailable("not now")

    meets(before=lambda: delete(caller, sent))
    with monkeypatch.context() as outage:
        outage.setattr(ObjectStore, "delete", keep)
        with pytest.raises(NotFound):
            complete(caller, sent)
    assert held(world, settings) == (set(), {str(sent)})

    end(sent)
    purge_expired(ObjectStore.from_settings(settings))

    assert held(world, settings) == (set(), set())


def test_an_image_that_was_never_written_goes_with_what_is_left_of_its_upload(
    caller: Caller, world: TenantWorld, settings: Settings, sent: UUID, meets: Meets
) -> None:
    def refuse() -> None:
        raise StorageRefused("not now", retry_after=5)

    meets(before=refuse)
    with pytest.raises(StorageRefused):
        complete(caller, sent)

    end(sent)
    purge_expired(ObjectStore.from_settings(settings))

    assert held(world, settings) == (set(), set())
    with pytest.raises(NotFound):
        complete(caller, sent)


def test_a_completion_that_what_is_left_was_purged_under_says_that_it_is_gone(
    caller: Caller, world: TenantWorld, settings: Settings, sent: UUID, meets: Meets
) -> None:
    end(sent)
    meets(before=lambda: purge_expired(ObjectStore.from_settings(settings)))

    with pytest.raises(NotFound):
        complete(caller, sent)

    assert held(world, settings) == (set(), set())


def test_what_a_tenant_sends_while_it_is_erased_does_not_stay(
    caller: Caller, world: TenantWorld, settings: Settings, meets: Meets
) -> None:
    meets(before=lambda: erase_tenant(caller.tenant_id))

    with pytest.raises(NotFound):
        upload_image(caller.tenant_id, png(), SYSTEM)

    assert held(world, settings) == (set(), set())


def test_whoever_comes_first_every_image_has_its_object_and_every_object_its_image(
    app: Flask, caller: Caller, world: TenantWorld, settings: Settings
) -> None:
    def work(image_id: UUID, step: Callable[[Caller, UUID], None]) -> None:
        together.wait(30)
        for _ in range(10):
            with app.app_context(), suppress(NotFound, ImageNotUploaded):
                step(caller, image_id)

    together = threading.Barrier(4)
    sent = [sent_by(caller) for _ in range(6)]
    calls = [(image_id, step) for image_id in sent for step in (complete, complete, delete, delete)]
    with ThreadPoolExecutor(4) as pool:
        done, late = wait([pool.submit(work, *call) for call in calls], timeout=120)
    for each in done:
        each.result()

    assert not late
    rows, objects = held(world, settings)
    assert rows == objects
