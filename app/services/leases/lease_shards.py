"""Use cases of a worker child: take shards, keep them, give them back."""

from __future__ import annotations

import os
from collections.abc import Sequence

from sqlalchemy import text

from app.database.transactions import queue_transaction
from app.domain.lease import Holder, Lease, ShardRef
from app.domain.states import Priority
from app.queries.ready_shards import ready_shards
from app.services.jobs import shards

_HELD_BY_INSTANCE = text("""
SELECT job_id, shard_no, lease_pid, lease_token FROM shards
WHERE state = 'leased' AND lease_instance = :instance
""")


def lease_shard(shard: ShardRef, holder: Holder, life_s: float) -> Lease | None:
    """Take the lease of a pending shard; None when it is not there to be taken."""
    with queue_transaction() as session:
        return shards.take(session, shard, holder, life_s)


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
    with queue_transaction() as session:
        return [
            lease
            for lease in sorted(leases, key=_lock_order)
            if shards.renew(session, lease, life_s)
        ]


def hand_back(leases: Sequence[Lease]) -> None:
    """Return shards whose rest another task shall do: shutdown, time is up, a lost race."""
    with queue_transaction() as session:
        for lease in sorted(leases, key=_lock_order):
            shards.hand_back(session, lease)


def free_dead_predecessors(holder: Holder) -> list[ShardRef]:
    """Free what dead siblings of this child held, at once: their shards are isolated."""
    freed = []
    with queue_transaction() as session:
        rows = session.execute(_HELD_BY_INSTANCE, {"instance": holder.instance}).all()
        for row in sorted(rows, key=lambda row: (row.job_id, row.shard_no)):
            if row.lease_pid != holder.pid and _is_alive(row.lease_pid):
                continue
            shard = ShardRef(row.job_id, row.shard_no)
            shards.free(session, shard, row.lease_token)
            freed.append(shard)
    return freed


def begin_trial(lease: Lease, seq: int) -> int | None:
    """Record that one item is about to be opened alone; returns the deaths it had part in.

    None when the lease is lost.
    """
    with queue_transaction() as session:
        return shards.begin_trial(session, lease, seq)


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
