from __future__ import annotations

import datetime as dt

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base


class ChoreTurn(Base):
    """When a chore last ran: two beats that both fire it find the turn taken."""

    __tablename__ = "chore_turns"

    chore: Mapped[str] = mapped_column(primary_key=True)
    taken_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
