from __future__ import annotations

import datetime as dt

from sqlalchemy import Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base


class Worker(Base):
    """A heartbeat of a recognition worker: how many shards it can hold, of which models."""

    __tablename__ = "workers"

    instance: Mapped[str] = mapped_column(primary_key=True)
    slots: Mapped[int]
    models: Mapped[list[str]] = mapped_column(ARRAY(Text))
    started_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
