from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base, Created


class IdempotencyKey(Created, Base):
    """The first answer to a request that bore an Idempotency-Key.

    `status` is NULL while the first request runs. Past `secret_until` an answer that showed a
    secret is no longer replayed.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index(None, "expires_at"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, Any] | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    secret_until: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime]
