from __future__ import annotations

import datetime as dt

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base


class SourcePause(Base):
    """A bucket that does not answer: it is asked again when `until` has come."""

    __tablename__ = "source_pauses"

    bucket: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[dt.datetime] = mapped_column(server_default="-infinity")
    failures: Mapped[int] = mapped_column(server_default="0")
    last_error: Mapped[str]
    since: Mapped[dt.datetime] = mapped_column(server_default=func.now())
