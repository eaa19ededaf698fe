from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from app.database.base import Base, Created, Identified, TenantOwned


class DeadLetter(Identified, TenantOwned, Created, Base):
    """An item that killed its worker twice, kept for an operator to look at and redrive."""

    __tablename__ = "dead_letters"
    __table_args__ = (
        UniqueConstraint("job_id", "item_seq"),
        Index("ix_dead_letters_waiting", "id", postgresql_where=text("redriven_at IS NULL")),
    )

    job_id: Mapped[UUID]
    item_seq: Mapped[int]
    image_uri: Mapped[str]
    code: Mapped[str]
    reason: Mapped[str]
    redriven_at: Mapped[dt.datetime | None]
    redriven_job_id: Mapped[UUID | None]
