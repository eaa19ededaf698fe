"""Chores run once however many beats fire them: each takes its turn in Postgres first."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text

from app.database.transactions import queue_transaction

_TAKE = text("""
INSERT INTO chore_turns (chore, taken_at) VALUES (:chore, clock_timestamp())
ON CONFLICT (chore) DO UPDATE SET taken_at = clock_timestamp()
  WHERE chore_turns.taken_at < clock_timestamp() - :interval
RETURNING chore
""")


def take_turn(chore: str, interval: dt.timedelta) -> bool:
    """Whether this caller may run the chore now: nobody did within `interval`."""
    with queue_transaction() as session:
        return session.execute(_TAKE, {"chore": chore, "interval": interval}).first() is not None
