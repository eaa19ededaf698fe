from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database.base import Base, Created, Identified, TenantOwned
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


class LedgerEntry(Identified, TenantOwned, Created, Base):
    """Something was erased, by ids alone; triggers write it, and it outlasts what it tells of.

    A restored backup is brought to forget again by these (docs/backup.md). `job_id` and `item_seq`
    say which item had enrolled a face.
    """

    __tablename__ = "erasure_ledger"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('tenant', 'collection', 'subject', 'face', 'job', 'image', 'api_key')",
            name="kind",
        ),
        Index(
            "ix_erasure_ledger_unexported",
            "created_at",
            postgresql_where=text("exported_at IS NULL"),
        ),
    )

    kind: Mapped[str]
    target_id: Mapped[UUID]
    collection_id: Mapped[UUID | None]
    job_id: Mapped[UUID | None]
    item_seq: Mapped[int | None]
    exported_at: Mapped[dt.datetime | None]
