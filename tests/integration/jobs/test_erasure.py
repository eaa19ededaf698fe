"""What is deleted takes its biometrics along, in every table."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import text

from app.database.base import db
from app.database.transactions import owner_transaction
from app.domain.actor import SYSTEM
from app.domain.job_request import ItemRequest
from app.domain.lease import ShardRef
from app.domain.states import Operation
from app.services.gallery.collections import delete_collection
from app.services.gallery.subjects import delete_subject
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import begun, found, store

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked")]

# Who did what stays on record, without anything that was in the deleted rows.
KEPT = {"audit_events", "erasure_ledger"}


@pytest.fixture
def gallery(world: TenantWorld) -> UUID:
    """A collection with one enrolled face."""
    collection = world.collection()
    item = ItemRequest("a", world.uri("a.jpg"), subject="someone")
    job_id = world.submit(Operation.ENROL, item, collection_id=collection)
    store(begun(ShardRef(job_id, 0)), *found(0))
    assert vectors(world) == 1
    return collection


def vectors(world: TenantWorld) -> int:
    """Embeddings of enrolled faces that the owner of the tables still finds."""
    with owner_transaction() as session:
        count = "SELECT count(*) FROM face_vectors_128 WHERE tenant_id = :tenant"
        return int(session.execute(text(count), {"tenant": world.tenant_id}).scalar_one())


def test_a_deleted_collection_takes_its_vectors_along(world: TenantWorld, gallery: UUID) -> None:
    delete_collection(world.tenant_id, gallery, SYSTEM)

    assert vectors(world) == 0


def test_a_deleted_subject_takes_its_vectors_along(world: TenantWorld, gallery: UUID) -> None:
    subject = world.query("SELECT id FROM subjects")[0].id

    delete_subject(world.tenant_id, gallery, subject, SYSTEM)

    assert vectors(world) == 0


def test_a_deleted_tenant_leaves_no_row(world: TenantWorld, gallery: UUID) -> None:
    del gallery
    with owner_transaction() as session:
        session.execute(text("DELETE FROM tenants WHERE id = :id"), {"id": world.tenant_id})

    owned = [t.name for t in db.metadata.sorted_tables if "tenant_id" in t.columns]
    with owner_transaction() as session:
        left = {
            table
            for table in owned
            if session.execute(
                text(f"SELECT count(*) FROM {table} WHERE tenant_id = :id"),
                {"id": world.tenant_id},
            ).scalar_one()
        }
    assert left == KEPT
