from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base, Created, Identified, TenantOwned


class AuditEvent(Identified, TenantOwned, Created, Base):
    """Who did what to which row: ids and digests only, never a face or a client's name for it."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index(None, "tenant_id", "id"),
        Index(
            "ix_audit_events_unchained",
            "transaction_id",
            "id",
            postgresql_where=text("chain_no IS NULL"),
        ),
        Index(
            "uq_audit_events_chain",
            "tenant_id",
            "chain_no",
            unique=True,
            postgresql_where=text("chain_no IS NOT NULL"),
        ),
        CheckConstraint("(chain_no IS NULL) = (chain_hash IS NULL)", name="chained"),
    )

    action: Mapped[str]
    actor_key_id: Mapped[UUID | None]
    actor_name: Mapped[str | None]
    actor_address: Mapped[str | None]
    target_type: Mapped[str]
    target_id: Mapped[UUID | None]
    detail: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    request_id: Mapped[str | None]
    # Orders events as their transactions began to write, whatever the clocks of their hosts say.
    transaction_id: Mapped[int] = mapped_column(
        BigInteger, server_default=text("(pg_current_xact_id()::text::bigint)")
    )
    chain_no: Mapped[int | None] = mapped_column(BigInteger)
    chain_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
