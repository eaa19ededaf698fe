"""Use cases of the operator: the S3 places that a tenant's jobs may read, besides its uploads."""

from __future__ import annotations

from uuid import UUID

from flask import current_app
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from app.database.transactions import owner_transaction
from app.domain.actor import SYSTEM
from app.domain.identifiers import new_id
from app.domain.request_errors import NotFound
from app.domain.storage import ObjectLocation, ReadableStorage
from app.models.tenant import StorageLocation
from app.services.tenancy.record_audit import record_audit
from app.services.tenancy.tenants import require_tenant

_PLACES = text("SELECT bucket, prefix FROM storage_locations")


def allow_location(tenant_id: UUID, place: ObjectLocation) -> None:
    """Let a tenant's jobs read a bucket, or a prefix of it; doing so twice is fine.

    Raises:
        NotFound: no tenant has the id.
    """
    with owner_transaction() as session:
        require_tenant(session, tenant_id)
        if place not in _locations(session, tenant_id):
            location = StorageLocation(
                id=new_id(), tenant_id=tenant_id, bucket=place.bucket, prefix=place.key
            )
            session.add(location)
            _record(session, tenant_id, "allowed", location.id, place)


def deny_location(tenant_id: UUID, place: ObjectLocation) -> None:
    """Take back what `allow_location` gave.

    Raises:
        NotFound: the tenant has no such place.
    """
    with owner_transaction() as session:
        removed = session.execute(
            delete(StorageLocation)
            .where(
                StorageLocation.tenant_id == tenant_id,
                StorageLocation.bucket == place.bucket,
                StorageLocation.prefix == place.key,
            )
            .returning(StorageLocation.id)
        ).all()
        if not removed:
            raise NotFound(f"{place} is not registered for this tenant; see `flask buckets list`")
        _record(session, tenant_id, "denied", removed[0].id, place)


def list_locations(tenant_id: UUID) -> list[ObjectLocation]:
    """Read which places a tenant's jobs may read, besides its own uploads.

    Raises:
        NotFound: no tenant has the id.
    """
    with owner_transaction() as session:
        require_tenant(session, tenant_id)
        return _locations(session, tenant_id)


def _record(
    session: Session, tenant_id: UUID, verb: str, location_id: UUID, place: ObjectLocation
) -> None:
    action, detail = f"storage_location.{verb}", {"place": str(place)}
    record_audit(session, tenant_id, SYSTEM, action, "storage_location", location_id, detail)


def _locations(session: Session, tenant_id: UUID) -> list[ObjectLocation]:
    rows = session.execute(
        select(StorageLocation.bucket, StorageLocation.prefix)
        .where(StorageLocation.tenant_id == tenant_id)
        .order_by(StorageLocation.bucket, StorageLocation.prefix)
    )
    return [ObjectLocation(row.bucket, row.prefix) for row in rows]


def readable_storage(session: Session, tenant_id: UUID) -> ReadableStorage:
    """The S3 places that a tenant's jobs may read: the registered ones and its own uploads."""
    registered = session.execute(_PLACES)
    return ReadableStorage(
        current_app.config["SETTINGS"].aws_storage_bucket_name,
        tenant_id,
        tuple(ObjectLocation(row.bucket, row.prefix) for row in registered),
    )
