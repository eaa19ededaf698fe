"""Use case: what every follower of the vectors has read leaves their outbox."""

from __future__ import annotations

from sqlalchemy import text

from app.database.batched_deletes import delete_in_batches
from app.database.transactions import queue_transaction

_ROWS_A_BATCH = 5000

# A change outlives its followers where the last of them was removed. Whoever registers afterwards
# copies the vectors as they are then, so what was committed before this looks is of no use to them.
_PRUNE = text("""
DELETE FROM vector_changes WHERE id IN (
  SELECT id FROM vector_changes WHERE xact < coalesce(
    (SELECT position FROM vector_followers ORDER BY position LIMIT 1),
    pg_snapshot_xmin(pg_current_snapshot()))
  ORDER BY xact, id LIMIT :batch)
""")


# A worker that follows says so every few seconds. One that has not for so long is gone, or will
# find its row gone and begin anew.
_FORGET = text("""
DELETE FROM vector_followers WHERE seen_at < clock_timestamp() - interval '10 minutes'
""")


def prune_changes() -> int:
    """Remove changes below the positions of all followers, or all where nobody follows.

    A follower that is gone does not count.

    Returns:
        How many rows went.
    """
    with queue_transaction() as session:
        session.execute(_FORGET)
    return delete_in_batches(_PRUNE, _ROWS_A_BATCH)
