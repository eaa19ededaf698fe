from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base, Created, Identified
from app.models.vector_change import TransactionId


class Erasure(Identified, Created, Base):
    """Somebody was erased whom stored results may still name; it goes when none does any more.

    A face or a subject where its id is given, else the collection. Transactions below
    `settled_after` may have searched before the erasure and store what they found after it.
    """

    __tablename__ = "erasures"

    tenant_id: Mapped[UUID] = mapped_column(
        ForeignKey("tenants.id", ondelete="CASCADE"), index=True
    )
    collection_id: Mapped[UUID]
    subject_id: Mapped[UUID | None]
    face_id: Mapped[UUID | None]
    settled_after: Mapped[str | None] = mapped_column(TransactionId)
    due_at: Mapped[dt.datetime] = mapped_column(server_default=func.now(), index=True)
