"""Use case: a recognition worker says that it lives, and how much it can hold."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text

from app.database.transactions import queue_transaction

_BEAT = text("""
INSERT INTO workers (instance, slots, models) VALUES (:instance, :slots, :models)
ON CONFLICT (instance) DO UPDATE SET seen_at = clock_timestamp(), slots = excluded.slots,
  models = excluded.models
""")

# Rows of workers that were gone long ago are of no use to anyone.
_SWEEP = text("DELETE FROM workers WHERE seen_at < clock_timestamp() - interval '1 hour'")


def beat(instance: str, slots: int, models: Sequence[str]) -> None:
    """Write or refresh the worker's row; a slow database costs two seconds at most."""
    with queue_transaction() as session:
        session.execute(text("SET LOCAL statement_timeout = '2s'"))
        session.execute(_BEAT, {"instance": instance, "slots": slots, "models": list(models)})
        session.execute(_SWEEP)


def retire(instance: str) -> None:
    """Remove the row of a worker that shuts down, so that nothing more is meant for it."""
    with queue_transaction() as session:
        session.execute(
            text("DELETE FROM workers WHERE instance = :instance"), {"instance": instance}
        )
