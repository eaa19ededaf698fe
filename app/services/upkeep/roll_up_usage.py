"""Use case: notes of usage become days, which stay when jobs, results and deliveries are gone.

A batch of notes is taken away and added to its days by one statement: ended at any line, it has
been counted whole or not at all, and the next call goes on from there. A day is that of the note,
in UTC; one that was rolled up before takes what comes late.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.database.batched_deletes import delete_in_batches
from app.database.plan_by_key import plan_by_key
from app.database.transactions import queue_transaction

_BATCH = 5000
# Any number, the same for all: one batch at a time, and none while a tenant's usage is folded, by
# the trigger `fold_usage`. Nobody waits for it here, since whoever holds it may take its time.
_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)").bindparams(lock=0x_FACE_0006)

_ROLL_UP = text("""
WITH taken AS (
  DELETE FROM usage_entries WHERE (tenant_id, id) IN (
    SELECT tenant_id, id FROM usage_entries ORDER BY tenant_id, id LIMIT :batch)
  RETURNING *
), stored AS (
  INSERT INTO usage_days AS days
    (tenant_id, day, operation, outcome, images, faces, inference_ms, webhooks)
  SELECT tenant_id, CAST(noted_at AT TIME ZONE 'UTC' AS date), operation, outcome,
    sum(images), sum(faces), sum(inference_ms), sum(webhooks)
  FROM taken GROUP BY 1, 2, 3, 4
  ON CONFLICT (tenant_id, day, operation, outcome) DO UPDATE SET
    images = days.images + excluded.images, faces = days.faces + excluded.faces,
    inference_ms = days.inference_ms + excluded.inference_ms,
    webhooks = days.webhooks + excluded.webhooks
)
SELECT count(*) FROM taken
""")

_FORGET = text("""
DELETE FROM usage_entries WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM usage_entries WHERE noted_at < now() - :age LIMIT :batch))
""")


def roll_up_usage() -> int:
    """Roll up every note that is committed; returns how many.

    While somebody else does, it leaves the rest to them.
    """
    total = 0
    while True:
        rolled_up = roll_up_batch(_BATCH)
        total += rolled_up
        if rolled_up < _BATCH:
            return total


def roll_up_batch(size: int) -> int:
    """Roll up at most `size` notes, in a transaction of their own; how many there were."""
    with queue_transaction() as session:
        return _roll_up(session, size)


def _roll_up(session: Session, size: int) -> int:
    if not session.execute(_LOCK).scalar_one():
        return 0
    plan_by_key(session)
    return int(session.execute(_ROLL_UP, {"batch": size}).scalar_one())


def forget_uncounted(age: dt.timedelta) -> int:
    """Remove notes older than `age`, for where nobody rolls them up; returns how many."""
    return delete_in_batches(_FORGET, _BATCH, age=age)
