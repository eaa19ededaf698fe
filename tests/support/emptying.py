"""Tables emptied while processes that other modules started still read them."""

from __future__ import annotations

from psycopg2.errors import DeadlockDetected
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.database.transactions import owner_transaction

_TRIES = 10


def truncate(tables: str) -> None:
    """Remove every row; whoever reads the partitions in another order is asked again."""
    for attempt in range(_TRIES):
        try:
            with owner_transaction() as session:
                session.execute(text(f"TRUNCATE {tables} CASCADE"))
        except OperationalError as error:
            if not isinstance(error.orig, DeadlockDetected) or attempt == _TRIES - 1:
                raise
        else:
            return
