"""Use cases of a worker child: take shards, keep them, give them back."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text

from app.database.transactions import queue_transaction
from app.domain.lease import Holder, Lease, ShardRef
from app.domain.states import Priority
from app.queries.ready_shards import ready_shards

_TAKE = text("""
UPDATE shards SET state = 'leased', lease_token = lease_token + 1,
  leased_until = clock_timestamp() + :life, lease_instance = :instance, lease_pid = :pid,
  hint_expires_at = NULL, attempt_count = attempt_count + 1
WHERE job_id = :job_id AND shard_no = :shard_no AND state = 'pending'
RETURNING *
""")

_RENEW = text("""
UPDATE shards SET leased_until = clock_timestamp() + :life
WHERE job_id = :job_id AND shard_no = :shard_no AND state = 'leased' AND lease_token = :token
RETURNING shard_no
""")

# Handing back is no attempt: the shard was not at fault.
_HAND_BACK = text("""
UPDATE shards SET state = 'pending', leased_until = NULL, lease_instance = NULL, lease_pid = NULL,
  attempt_count = 0, trial_seq = NULL, trial_deaths = 0
WHERE job_id = :job_id AND shard_no = :shard_no AND state = 'leased' AND lease_token = :token
""")

_HELD_BY_INSTANCE = text("""
SELECT job_id, shard_no, lease_pid, lease_token FROM shards
WHERE state = 'leased' AND lease_instance = :instance
""")

# The child died under a living parent: its shards are suspects and are tried item by item.
_FREE_DEAD = text("""
UPDATE shards SET state = 'pending', leased_until = NULL, lease_instance = NULL, lease_pid = NULL,
  isolated = true, trial_deaths = trial_deaths + (trial_seq IS NOT NULL)::integer
WHERE job_id = :job_id AND shard_no = :shard_no AND state = 'leased' AND lease_token = :token
""")

_BEGIN_TRIAL = text("""
UPDATE shards SET trial_deaths = CASE WHEN trial_seq = :seq THEN trial_deaths ELSE 0 END,
  trial_seq = :seq
WHERE job_id = :job_id AND shard_no = :shard_no AND state = 'leased' AND lease_token = :token
RETURNING trial_deaths
""")


def lease_shard(shard: ShardRef, holder: Holder, life_s: float) -> Lease | None:
    """Take the lease of a pending shard; None when it is not there to be taken."""
    with queue_transaction() as session:
        row = session.execute(
            _TAKE,
            {
                "job_id": shard.job_id,
                "shard_no": shard.shard_no,
                "life": dt.timedelta(seconds=life_s),
                "instance": holder.instance,
                "pid": holder.pid,
            },
        ).first()
    return _lease(row, holder) if row else None


def lease_small_shards(
    model: str, holder: Holder, life_s: float, room: int, lanes: Sequence[Priority]
) -> list[Lease]:
    """Take small ready shards of a model until `room` items are filled: they share a batch.

    The same fair query as the dispatcher's decides which, lane by lane. A shard whose message waits
    in the broker, behind what this worker does now, is taken too: the message will find it gone.
    """
    taken: list[Lease] = []
    for priority in lanes:
        with queue_transaction() as session:
            candidates = ready_shards(
                session,
                model,
                priority,
                per_tenant=room,
                largest=room,
                isolated=False,
                hinted=True,
            )
        for candidate in sorted(candidates, key=lambda c: c.shard.job_id):
            if candidate.items > room:
                continue
            lease = lease_shard(candidate.shard, holder, life_s)
            if lease is not None:
                taken.append(lease)
                room -= lease.open_items
    return taken


def renew_leases(leases: Sequence[Lease], life_s: float) -> list[Lease]:
    """Extend leases; returns the ones still held, the others were lost."""
    held = []
    with queue_transaction() as session:
        for lease in sorted(leases, key=_lock_order):
            parameters = lease.key | {"life": dt.timedelta(seconds=life_s)}
            if session.execute(_RENEW, parameters).first():
                held.append(lease)
    return held


def hand_back(leases: Sequence[Lease]) -> None:
    """Return shards whose rest another task shall do: shutdown, time is up, a lost race."""
    with queue_transaction() as session:
        for lease in sorted(leases, key=_lock_order):
            session.execute(_HAND_BACK, lease.key)


def free_dead_predecessors(holder: Holder) -> list[ShardRef]:
    """Free what dead siblings of this child held, at once: their shards are isolated."""
    freed = []
    with queue_transaction() as session:
        rows = session.execute(_HELD_BY_INSTANCE, {"instance": holder.instance}).all()
        for row in sorted(rows, key=lambda row: (row.job_id, row.shard_no)):
            if row.lease_pid != holder.pid and _is_alive(row.lease_pid):
                continue
            parameters = {
                "job_id": row.job_id,
                "shard_no": row.shard_no,
                "token": row.lease_token,
            }
            session.execute(_FREE_DEAD, parameters)
            freed.append(ShardRef(row.job_id, row.shard_no))
    return freed


def begin_trial(lease: Lease, seq: int) -> int | None:
    """Record that one item is about to be opened alone; returns the deaths it had part in.

    None when the lease is lost.
    """
    with queue_transaction() as session:
        row = session.execute(_BEGIN_TRIAL, lease.key | {"seq": seq}).first()
    return int(row.trial_deaths) if row else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _lock_order(lease: Lease) -> tuple[object, int]:
    return lease.shard.job_id, lease.shard.shard_no


def _lease(row: Row[Any], holder: Holder) -> Lease:
    return Lease(
        shard=ShardRef(row.job_id, row.shard_no),
        tenant_id=row.tenant_id,
        token=row.lease_token,
        holder=holder,
        first_seq=row.first_seq,
        item_count=row.item_count,
        open_items=row.open_items,
        priority=Priority(row.priority),
        isolated=row.isolated,
        trial_seq=row.trial_seq,
        trial_deaths=row.trial_deaths,
    )
