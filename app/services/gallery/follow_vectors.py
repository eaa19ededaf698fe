"""Use case: a worker keeps copies of galleries in memory, and follows what happens to them.

The parent of a worker's children makes the memory and registers as a follower of the vectors, so
that from then on every change is told in their outbox. The children make and use the copies.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import text

from app.adapters.copy_memory import CopyMemory
from app.database.transactions import queue_transaction

# A copy that no search has brought up to date for so long goes: an erased face's vector is in no
# memory of ours after that.
MOST_IDLE_S = 60.0

_REGISTER = text("""
INSERT INTO vector_followers (name, seen_at) VALUES (:name, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET registered_at = now(), seen_at = clock_timestamp(),
  position = pg_snapshot_xmin(pg_current_snapshot())
""")
# Asked once we are registered. Whoever gets a number from here on looks only afterwards whether
# anybody follows: a change holds or inserts its faces first, and that takes the number.
_FROM_NOW_ON = text("SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)")
# Copies may stand behind what is open now, and one that is just being made stands where it began:
# no further on than where we stand.
_RENEW = text("""
UPDATE vector_followers SET seen_at = clock_timestamp(), position = greatest(position,
  least(CAST(:position AS xid8), pg_snapshot_xmin(pg_current_snapshot())))
WHERE name = :name
""")
_LEAVE = text("DELETE FROM vector_followers WHERE name = :name")
_NO_COPY = 2**63 - 1


@dataclass(frozen=True)
class KeptCopies:
    """The memory of this worker, and the name by which it follows the vectors."""

    memory: CopyMemory
    follower: str


class _Host:
    kept: KeptCopies | None = None


def kept_copies() -> KeptCopies | None:
    """Those of the worker that this process belongs to; None where none are kept."""
    return _Host.kept


def keep_copies(megabytes: int, instance: str) -> None:
    """Make the memory, before children are forked; with 0 megabytes no copies are kept."""
    _Host.kept = KeptCopies(CopyMemory(megabytes), f"search {instance}") if megabytes else None


def child_began() -> None:
    """In a new child, before it searches."""
    if _Host.kept is not None:
        _Host.kept.memory.child_began()


def follow() -> None:
    """Register, or say that we are still there; called every few seconds.

    Where the row has gone meanwhile, changes went untold: all copies go, and it begins anew.
    """
    kept = _Host.kept
    if kept is None:
        return
    kept.memory.drop(time.monotonic() - MOST_IDLE_S)
    if kept.memory.epoch and _renewed(kept):
        return
    kept.memory.epoch = 0
    kept.memory.drop()
    with queue_transaction() as session:
        session.execute(_REGISTER, {"name": kept.follower})
    with queue_transaction() as session:
        kept.memory.epoch = int(session.execute(_FROM_NOW_ON).scalar_one())


def leave() -> None:
    """Drop all copies, and follow the vectors no longer."""
    kept = _Host.kept
    if kept is not None:
        kept.memory.epoch = 0
        kept.memory.drop()
        with queue_transaction() as session:
            session.execute(_LEAVE, {"name": kept.follower})


def _renewed(kept: KeptCopies) -> bool:
    position = min(kept.memory.positions(), default=_NO_COPY)
    with queue_transaction() as session:
        renewal = session.execute(_RENEW, {"name": kept.follower, "position": str(position)})
        found: int = renewal.rowcount  # type: ignore[attr-defined]  # an UPDATE's cursor result has it
    return found > 0
