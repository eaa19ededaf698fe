"""What reads of every table share: the one row or an error, and a page of the newest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.domain.request_errors import NotFound
from app.domain.windows import Order, Window

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
    return in_window(session, query, ids, Window(limit, after))


def in_window(
    session: Session, query: Select[Row], ids: InstrumentedAttribute[UUID], window: Window
) -> Sequence[Row]:
    """Rows of a window, by id."""
    rising = window.order is Order.ASC
    if window.after is not None:
        query = query.where(ids > window.after if rising else ids < window.after)
    ordered = query.order_by(ids.asc() if rising else ids.desc())
    return session.scalars(ordered.limit(window.limit + 1)).all()
