"""The ledger of what was erased: written with the erasure, by ids, and by nobody else."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.database.transactions import owner_transaction, queue_transaction, tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.erasure_ledger import ErasedThing
from app.domain.identifiers import new_id
from app.services.gallery.collections import delete_collection
from app.services.gallery.faces import delete_face
from app.services.gallery.subjects import delete_subject
from app.services.jobs.repeat_erasures import repeat_erasures
from app.services.upkeep.erasure_ledger import export_ledger, read_ledger
from tests.factories.galleries import make_collection, make_face, make_subject
from tests.factories.tenant_world import TenantWorld

pytestmark = pytest.mark.stack


def entries(world: TenantWorld) -> list[tuple[str, UUID]]:
    told = "SELECT kind, target_id FROM erasure_ledger ORDER BY created_at"
    return [(row.kind, row.target_id) for row in world.query(told)]


def add_image(world: TenantWorld) -> UUID:
    image_id = new_id()
    add = """
INSERT INTO images (id, tenant_id, uri, sha256, content_type, width, height, byte_count)
VALUES (:id, :tenant, :uri, sha256('x'), 'image/png', 1, 1, 1)"""
    values = {"id": image_id, "tenant": world.tenant_id, "uri": world.uri(str(image_id))}
    with tenant_transaction(world.tenant_id) as session:
        session.execute(text(add), values)
    return image_id


def test_each_erasure_of_a_gallery_leaves_one_entry(world: TenantWorld) -> None:
    collection = make_collection(world.tenant_id)
    subject = make_subject(collection)
    face = make_face(collection, subject)

    delete_face(world.tenant_id, collection.id, face.id, SYSTEM)
    delete_subject(world.tenant_id, collection.id, subject.id, SYSTEM)
    delete_collection(world.tenant_id, collection.id, SYSTEM)

    wanted = [("face", face.id), ("subject", subject.id), ("collection", collection.id)]
    assert entries(world) == wanted


def test_an_erasure_that_is_rolled_back_leaves_none(world: TenantWorld) -> None:
    collection = make_collection(world.tenant_id)

    with suppress(RuntimeError), tenant_transaction(world.tenant_id):
        delete_collection(world.tenant_id, collection.id, SYSTEM)
        raise RuntimeError

    assert entries(world) == []


def test_an_upload_leaves_one_when_a_client_deletes_it_and_none_when_it_expires(
    world: TenantWorld,
) -> None:
    deleted, expired = add_image(world), add_image(world)

    with tenant_transaction(world.tenant_id) as session:
        session.execute(text("DELETE FROM images WHERE id = :id"), {"id": deleted})
    with queue_transaction() as session:
        session.execute(text("DELETE FROM images WHERE id = :id"), {"id": expired})

    assert entries(world) == [("image", deleted)]


def test_a_tenant_that_goes_leaves_one_and_not_one_for_each_of_its_rows(
    world: TenantWorld,
) -> None:
    add_image(world)
    with owner_transaction() as session:
        session.execute(text("DELETE FROM tenants WHERE id = :id"), {"id": world.tenant_id})

    assert entries(world) == [("tenant", world.tenant_id)]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM erasure_ledger",
        "UPDATE erasure_ledger SET exported_at = now()",
        "INSERT INTO erasure_ledger (tenant_id, kind, target_id) VALUES (:id, 'tenant', :id)",
    ],
)
def test_nobody_but_the_owner_writes_the_ledger(world: TenantWorld, statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        tenant_transaction(world.tenant_id) as session,
    ):
        session.execute(text(statement), {"id": world.tenant_id})


@pytest.mark.usefixtures("empty_database")
def test_an_entry_is_exported_once_and_read_back_as_it_was(app: object, tmp_path: Path) -> None:
    del app
    world = TenantWorld.create()
    collection = make_collection(world.tenant_id)
    delete_collection(world.tenant_id, collection.id, SYSTEM)

    assert (export_ledger(tmp_path), export_ledger(tmp_path)) == (1, 0)

    [thing] = read_ledger(list(tmp_path.iterdir()))
    assert (thing.kind, thing.target_id) == ("collection", collection.id)
    assert ErasedThing.parse(thing.line()) == thing


def test_what_the_ledger_knows_is_not_repeated(world: TenantWorld, tmp_path: Path) -> None:
    collection = make_collection(world.tenant_id)
    delete_collection(world.tenant_id, collection.id, SYSTEM)
    export_ledger(tmp_path)

    assert repeat_erasures(read_ledger(list(tmp_path.iterdir()))).total() == 0


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": 1}\n')

    with pytest.raises(ValueError, match=r"a\.jsonl is damaged"):
        list(read_ledger([tmp_path / "a.jsonl"]))
