"""Use cases of the dispatcher: take back expired leases, take the shards to publish next."""

from __future__ import annotations

from app.database.transactions import queue_transaction
from app.domain.fairness import FairShare
from app.domain.lease import ShardRef
from app.domain.states import Priority
from app.queries.ready_shards import ready_shards, room_by_model
from app.services.jobs import shards

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
                if shards.set_hint(session, chosen.shard, life_s)
            )
    return claimed


def reclaim_expired_leases() -> list[ShardRef]:
    """Put shards back whose worker stopped renewing: nobody is blamed."""
    with queue_transaction() as session:
        return shards.reclaim_expired(session, suspect=SUSPECT_ATTEMPTS, hopeless=HOPELESS_ATTEMPTS)
