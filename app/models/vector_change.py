"""The outbox of the vectors: what changed, for copies of them that are kept elsewhere."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, func
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from app.database.base import Base, TenantOwned


class TransactionId(UserDefinedType[str]):
    """PostgreSQL's `xid8`: the number of a transaction, which never comes again."""

    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        """The type's name in DDL."""
        return "XID8"


# So that a comparison of the schema with the models knows the type.
ischema_names["xid8"] = TransactionId


class VectorChange(TenantOwned, Base):
    """A vector was added or removed; written with the change while a follower is registered.

    Those of a face that becomes another person's are removed and added again.

    Ids are given out before commits: a follower reads the rows whose `xact` is below
    `pg_snapshot_xmin(pg_current_snapshot())`, in the order of (`xact`, `id`). Below it nothing is
    open any more, so that no row can appear behind what has been read.
    """

    __tablename__ = "vector_changes"
    __table_args__ = (
        CheckConstraint("change IN ('added', 'removed')", name="change"),
        Index("ix_vector_changes_xact_id", "xact", "id"),
        Index("ix_vector_changes_collection_id_xact", "collection_id", "xact"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    xact: Mapped[str] = mapped_column(TransactionId, server_default=func.pg_current_xact_id())
    collection_id: Mapped[UUID]
    face_id: Mapped[UUID]
    space: Mapped[str]
    change: Mapped[str]
    made_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())


class VectorFollower(Base):
    """Who keeps a copy of the vectors: changes of transactions below `position` are in it.

    Transactions that began before it was registered may not have seen it. It copies the vectors
    once `pg_snapshot_xmin(pg_current_snapshot())` has passed the transaction that registered it.
    """

    __tablename__ = "vector_followers"

    name: Mapped[str] = mapped_column(primary_key=True)
    registered_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    # Null for one that stays, whether it says anything or not.
    seen_at: Mapped[dt.datetime | None]
    position: Mapped[str] = mapped_column(
        TransactionId, server_default=func.pg_snapshot_xmin(func.pg_current_snapshot())
    )
