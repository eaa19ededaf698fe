"""Use cases of the operator: tenants, and the S3 places that each may read."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database.transactions import owner_transaction
from app.domain.errors import AlreadyExists, NotFound
from app.domain.identifiers import new_id
from app.domain.storage import ObjectLocation
from app.models.tenant import StorageLocation, Tenant


def create_tenant(name: str, contact_email: str | None = None) -> Tenant:
    """Make a tenant.

    Raises:
        AlreadyExists: there is a tenant of this name.
    """
    tenant = Tenant(id=new_id(), name=name, contact_email=contact_email)
    with owner_transaction() as session:
        session.add(tenant)
        try:
            session.flush()
        except IntegrityError as error:
            raise AlreadyExists(f"There is a tenant {name!r} already") from error
    return tenant


def list_tenants() -> Sequence[Tenant]:
    """Read all tenants, oldest first."""
    with owner_transaction() as session:
        return session.scalars(select(Tenant).order_by(Tenant.id)).all()


def require_tenant(session: Session, tenant_id: UUID) -> Tenant:
    """Find a tenant.

    Raises:
        NotFound: no tenant has the id.
    """
    tenant = session.get(Tenant, tenant_id)
    if tenant is None:
        raise NotFound(f"There is no tenant {tenant_id}; see `flask tenants list`")
    return tenant


def allow_attributes(tenant_id: UUID, *, allowed: bool) -> None:
    """Say whether a tenant may ask for attributes of faces; jobs already submitted go on.

    Raises:
        NotFound: no tenant has the id.
    """
    with owner_transaction() as session:
        require_tenant(session, tenant_id).attributes_allowed = allowed


def allow_location(tenant_id: UUID, place: ObjectLocation) -> None:
    """Let a tenant's jobs read a bucket, or a prefix of it; doing so twice is fine.

    Raises:
        NotFound: no tenant has the id.
    """
    with owner_transaction() as session:
        require_tenant(session, tenant_id)
        if place not in _locations(session, tenant_id):
            session.add(
                StorageLocation(
                    id=new_id(), tenant_id=tenant_id, bucket=place.bucket, prefix=place.key
                )
            )
            session.flush()


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


def list_locations(tenant_id: UUID) -> list[ObjectLocation]:
    """Read which places a tenant's jobs may read, besides its own uploads.

    Raises:
        NotFound: no tenant has the id.
    """
    with owner_transaction() as session:
        require_tenant(session, tenant_id)
        return _locations(session, tenant_id)


def _locations(session: Session, tenant_id: UUID) -> list[ObjectLocation]:
    rows = session.execute(
        select(StorageLocation.bucket, StorageLocation.prefix)
        .where(StorageLocation.tenant_id == tenant_id)
        .order_by(StorageLocation.bucket, StorageLocation.prefix)
    )
    return [ObjectLocation(row.bucket, row.prefix) for row in rows]
