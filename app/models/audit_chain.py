from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base, Created, Identified, TenantOwned


class AuditChain(Base):
    """Where a tenant's chain begins, behind what was removed on purpose, and where it ends."""

    __tablename__ = "audit_chains"
    __table_args__ = (CheckConstraint("0 <= anchor_no AND anchor_no <= head_no", name="order"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    head_no: Mapped[int] = mapped_column(BigInteger)
    head_hash: Mapped[bytes] = mapped_column(LargeBinary)
    anchor_no: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    anchor_hash: Mapped[bytes] = mapped_column(
        LargeBinary, server_default=text("decode(repeat('00', 32), 'hex')")
    )
    chained_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())


class AuditCheckpoint(Identified, TenantOwned, Created, Base):
    """A signed statement that a tenant's chain had this hash at this place."""

    __tablename__ = "audit_checkpoints"
    __table_args__ = (
        Index(None, "tenant_id", "chain_no"),
        Index(
            "ix_audit_checkpoints_unexported", "id", postgresql_where=text("exported_at IS NULL")
        ),
    )

    chain_no: Mapped[int] = mapped_column(BigInteger)
    chain_hash: Mapped[bytes] = mapped_column(LargeBinary)
    signed_by: Mapped[str]
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    exported_at: Mapped[dt.datetime | None]
