from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base, Created


class TenantLimits(Created, Base):
    """What an operator allows a tenant instead of the installation's settings, where not NULL."""

    __tablename__ = "tenant_limits"
    __table_args__ = (
        CheckConstraint(
            "jobs_in_flight > 0 AND items_waiting > 0 AND requests_per_minute > 0"
            " AND storage_bytes > 0",
            name="positive",
        ),
    )

    tenant_id: Mapped[UUID] = mapped_column(
        ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True
    )
    jobs_in_flight: Mapped[int | None] = mapped_column(BigInteger)
    items_waiting: Mapped[int | None] = mapped_column(BigInteger)
    requests_per_minute: Mapped[int | None] = mapped_column(BigInteger)
    storage_bytes: Mapped[int | None] = mapped_column(BigInteger)
