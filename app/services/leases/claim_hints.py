"""Use cases of the dispatcher: take back expired leases, take the shards to publish next."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text

from app.database.transactions import queue_transaction
from app.domain.fairness import Candidate, FairShare
from app.domain.lease import POISON_DEATHS, ShardRef
from app.domain.states import Priority
from app.queries.ready_shards import ready_shards, room_by_model

_SET_HINT = text("""
UPDATE shards SET hint_expires_at = clock_timestamp() + :life
WHERE (job_id, shard_no) IN (
  SELECT job_id, shard_no FROM shards
  WHERE job_id = :job_id AND shard_no = :shard_no AND state = 'pending'
    AND (hint_expires_at IS NULL OR hint_expires_at < clock_timestamp())
  FOR UPDATE SKIP LOCKED)
RETURNING job_id
""")

_RECLAIM = text("""
UPDATE shards SET state = 'pending', leased_until = NULL, lease_instance = NULL, lease_pid = NULL,
  hint_expires_at = NULL, isolated = isolated OR attempt_count >= :suspect,
  trial_deaths = CASE WHEN trial_seq IS NOT NULL AND attempt_count >= :hopeless
    THEN greatest(trial_deaths, :poison) ELSE trial_deaths END
WHERE (job_id, shard_no) IN (
  SELECT job_id, shard_no FROM shards
  WHERE state = 'leased' AND leased_until < clock_timestamp()
  ORDER BY job_id, shard_no FOR UPDATE SKIP LOCKED)
RETURNING job_id, shard_no
""")

# A shard that lost this many leases and never finished a task is tried item by item: something in
# it may be killing whole machines.
SUSPECT_ATTEMPTS = 3
# A lost lease blames nobody. But an item that takes whole workers along leaves no other trace, and
# its job has to end: so many in a row, the item alone in flight and no result, count as deaths.
HOPELESS_ATTEMPTS = 10


def claim_shard_hints(share: FairShare, life_s: float) -> list[tuple[str, ShardRef]]:
    """Mark the shards to publish next, within the window; returns (model, shard) pairs."""
    claimed: list[tuple[str, ShardRef]] = []
    with queue_transaction() as session:
        for model, room in room_by_model(session).items():
            candidates = (
                candidate
                for priority in (Priority.INTERACTIVE, Priority.BULK)
                for candidate in ready_shards(session, model, priority, per_tenant=max(room, 1))
            )
            claimed.extend(
                (model, chosen.shard)
                for chosen in share.select(candidates, room)
                if session.execute(_SET_HINT, _hint_parameters(chosen, life_s)).first()
            )
    return claimed


def _hint_parameters(chosen: Candidate, life_s: float) -> dict[str, object]:
    return {
        "job_id": chosen.shard.job_id,
        "shard_no": chosen.shard.shard_no,
        "life": dt.timedelta(seconds=life_s),
    }


def reclaim_expired_leases() -> list[ShardRef]:
    """Put shards back whose worker stopped renewing: nobody is blamed."""
    with queue_transaction() as session:
        rows = session.execute(
            _RECLAIM,
            {
                "suspect": SUSPECT_ATTEMPTS,
                "hopeless": HOPELESS_ATTEMPTS,
                "poison": POISON_DEATHS,
            },
        )
        return [ShardRef(row.job_id, row.shard_no) for row in rows]
