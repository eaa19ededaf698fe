from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base, Created, Identified, TenantOwned


class AuditEvent(Identified, TenantOwned, Created, Base):
    """Who did what to which row: ids and digests only, never a face or a client's name for it."""

    __tablename__ = "audit_events"
    __table_args__ = (Index(None, "tenant_id", "id"),)

    action: Mapped[str]
    actor_key_id: Mapped[UUID | None]
    target_type: Mapped[str]
    target_id: Mapped[UUID | None]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    request_id: Mapped[str | None]
    chain_no: Mapped[int | None] = mapped_column(BigInteger)
    chain_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
