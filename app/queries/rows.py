"""What reads of every table share: the one row or an error, and a page of the newest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.domain.errors import NotFound

Row = TypeVar("Row")


def the_one(session: Session, query: Select[Row], missing: str) -> Row:
    """The row that a query finds.

    Raises:
        NotFound: there is none; `missing` says so to the client.
    """
    row: Row | None = session.scalars(query).one_or_none()
    if row is None:
        raise NotFound(missing)
    return row


def newest(
    session: Session,
    query: Select[Row],
    ids: InstrumentedAttribute[UUID],
    *,
    limit: int,
    after: UUID | None,
) -> Sequence[Row]:
    """Rows by falling id (UUIDv7: the newest first), below `after`: up to `limit` and one more."""
    if after is not None:
        query = query.where(ids < after)
    return session.scalars(query.order_by(ids.desc()).limit(limit + 1)).all()
