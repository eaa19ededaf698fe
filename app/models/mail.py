from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import ForeignKey, Index, SmallInteger, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base, Created, Identified


class Mail(Identified, Created, Base):
    """A mail to a tenant's contact; `about` says what it tells, which is told once."""

    __tablename__ = "mails"
    __table_args__ = (
        UniqueConstraint("tenant_id", "about"),
        Index("ix_mails_due", "next_attempt_at", postgresql_where=text("finished_at IS NULL")),
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    about: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    attempt_count: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    next_attempt_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[dt.datetime | None]
