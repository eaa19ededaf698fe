from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base

_AMOUNT = text("0")


class UsageEntry(Base):
    """Something that was done, noted in its own transaction; it goes when it is rolled up."""

    __tablename__ = "usage_entries"
    __table_args__ = (
        CheckConstraint(
            "operation IN ('detect', 'enrol', 'identify', 'verify', 'webhook')", name="operation"
        ),
        CheckConstraint("outcome IN ('succeeded', 'failed', 'canceled')", name="outcome"),
        Index(None, "noted_at", postgresql_using="brin"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    noted_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    operation: Mapped[str]
    outcome: Mapped[str]
    images: Mapped[int] = mapped_column(BigInteger, server_default=_AMOUNT)
    faces: Mapped[int] = mapped_column(BigInteger, server_default=_AMOUNT)
    inference_ms: Mapped[int] = mapped_column(BigInteger, server_default=_AMOUNT)
    webhooks: Mapped[int] = mapped_column(BigInteger, server_default=_AMOUNT)


class UsageDay(Base):
    """What a tenant had done on a UTC day; those of erased tenants are summed under INSTALLATION.

    No foreign key: it outlives all that it counts.
    """

    __tablename__ = "usage_days"
    __table_args__ = (
        CheckConstraint(
            "operation IN ('detect', 'enrol', 'identify', 'verify', 'webhook')", name="operation"
        ),
        CheckConstraint("outcome IN ('succeeded', 'failed', 'canceled')", name="outcome"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    operation: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    images: Mapped[int] = mapped_column(BigInteger, server_default=_AMOUNT)
    faces: Mapped[int] = mapped_column(BigInteger, server_default=_AMOUNT)
    inference_ms: Mapped[int] = mapped_column(BigInteger, server_default=_AMOUNT)
    webhooks: Mapped[int] = mapped_column(BigInteger, server_default=_AMOUNT)
