"""Counting what a tenant has, so that it cannot have one too many."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def count_alone(session: Session, tenant_id: UUID, of: str) -> None:
    """Let nobody else of the tenant count `of` until this transaction ends.

    A lock of rows would not do: two who count at once both see that there is room for one more.
    """
    name = f"count {of} of {tenant_id}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
