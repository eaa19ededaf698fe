from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base, Created, Identified, TenantOwned


class WebhookDelivery(Identified, TenantOwned, Created, Base):
    """One event for one endpoint; `payload` is frozen when the job ends."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("tenant_id", "id"),
        UniqueConstraint("endpoint_id", "job_id", "type"),
        ForeignKeyConstraint(
            ["tenant_id", "endpoint_id"],
            ["webhook_endpoints.tenant_id", "webhook_endpoints.id"],
            name="fk_webhook_deliveries_endpoint",
            ondelete="CASCADE",
        ),
        Index(
            "ix_webhook_deliveries_due",
            "next_attempt_at",
            postgresql_where=text("state = 'pending'"),
        ),
        Index(
            "ix_webhook_deliveries_endpoint_due",
            "endpoint_id",
            "next_attempt_at",
            postgresql_where=text("state = 'pending'"),
        ),
        Index(None, "endpoint_id", "id"),
        Index(None, "created_at"),
    )

    endpoint_id: Mapped[UUID]
    job_id: Mapped[UUID | None]
    type: Mapped[str]
    payload: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="pending")
    attempt_count: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    next_attempt_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    hint_expires_at: Mapped[dt.datetime | None]
    leased_until: Mapped[dt.datetime | None]
    lease_token: Mapped[int] = mapped_column(BigInteger, server_default="0")
    finished_at: Mapped[dt.datetime | None]


class WebhookAttempt(Identified, TenantOwned, Base):
    """One try of a delivery: what was answered, and how long it took."""

    __tablename__ = "webhook_attempts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "delivery_id"],
            ["webhook_deliveries.tenant_id", "webhook_deliveries.id"],
            name="fk_webhook_attempts_delivery",
            ondelete="CASCADE",
        ),
        Index(None, "delivery_id", "id"),
    )

    delivery_id: Mapped[UUID]
    attempted_at: Mapped[dt.datetime]
    status_code: Mapped[int | None] = mapped_column(SmallInteger)
    duration_ms: Mapped[int]
    response_excerpt: Mapped[str | None]
    error: Mapped[str | None]
