"""What reads of every table share: the one row or an error, and a page of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, TypeVarTuple
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.domain.request_errors import NotFound
from app.domain.windows import Order, Window

Row = TypeVar("Row")
Columns = TypeVarTuple("Columns")


def the_one(session: Session, query: Select[Row], missing: str) -> Row:
    """The row that a query finds.

    Raises:
        NotFound: there is none; `missing` says so to the client.
    """
    row: Row | None = session.scalars(query).one_or_none()
    if row is None:
        raise NotFound(missing)
    return row


def in_window(
    session: Session, query: Select[Row], ids: InstrumentedAttribute[UUID], window: Window
) -> Sequence[Row]:
    """Rows of a window, by id."""
    return session.scalars(windowed(query, ids, window)).all()


def windowed(
    query: Select[*Columns], ids: InstrumentedAttribute[UUID], window: Window
) -> Select[*Columns]:
    """Limit a query to a window, by id."""
    rising = window.order is Order.ASC
    if window.after is not None:
        query = query.where(ids > window.after if rising else ids < window.after)
    return query.order_by(ids.asc() if rising else ids.desc()).limit(window.limit + 1)
