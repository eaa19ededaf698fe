"""Use cases of the operator: tenants, and what they may ask for."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database.transactions import owner_transaction
from app.domain.actor import SYSTEM
from app.domain.given_names import normal_name
from app.domain.identifiers import new_id
from app.domain.request_errors import (
    AlreadyExists,
    NotFound,
)
from app.models.tenant import Tenant
from app.services.tenancy.record_audit import record_audit


def create_tenant(name: str, contact_email: str | None = None) -> Tenant:
    """Make a tenant.

    Raises:
        AlreadyExists: there is a tenant of this name.
    """
    tenant = Tenant(id=new_id(), name=normal_name(name), contact_email=contact_email)
    with owner_transaction() as session:
        session.add(tenant)
        try:
            session.flush()
        except IntegrityError as error:
            raise AlreadyExists(f"There is a tenant {name!r} already") from error
        record_audit(session, tenant.id, SYSTEM, "tenant.created", "tenant", tenant.id)
    return tenant


def list_tenants() -> Sequence[Tenant]:
    """Read all tenants, oldest first."""
    with owner_transaction() as session:
        return session.scalars(select(Tenant).order_by(Tenant.id)).all()


def read_tenant(tenant_id: UUID) -> Tenant:
    """Read one tenant.

    Raises:
        NotFound: no tenant has the id.
    """
    with owner_transaction() as session:
        return require_tenant(session, tenant_id)


def require_tenant(session: Session, tenant_id: UUID, *, lock: bool = False) -> Tenant:
    """Find a tenant; with `lock`, nothing more is written for it by others from here on.

    Raises:
        NotFound: no tenant has the id.
    """
    tenant = session.get(Tenant, tenant_id, with_for_update=lock)
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
        action, detail = "tenant.attributes_allowed", {"allowed": allowed}
        record_audit(session, tenant_id, SYSTEM, action, "tenant", tenant_id, detail)
