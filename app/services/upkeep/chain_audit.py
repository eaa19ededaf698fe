"""Use case: audit events get their places in their tenants' chains, after the fact.

A request only inserts its event, so that no tenant queues on its chain. This comes later and takes
what is surely complete, a batch a transaction, one batch at a time in the whole installation: ended
at any line, it has chained the batch whole or not at all, and the next call goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from app.database.plan_by_key import plan_by_key
from app.database.transactions import queue_transaction
from app.domain.audit_chain import GENESIS, link_hash
from app.models.audit_chain import AuditChain
from app.queries.audit_chain import unchained_events

_BATCH = 1000
# Any number, the same for all: one chainer at a time. Taken before the first look at the events,
# whose statement then sees all that the chainer before has committed.
_LOCK = text("SELECT pg_advisory_xact_lock(:lock)").bindparams(lock=0x_FACE_0003)

# A trigger refuses an event that has its place. To ask for it here as well would lead the planner
# to the index of all that wait, once for each event.
_PLACE = text("""
UPDATE audit_events AS event SET chain_no = place.no, chain_hash = place.hash
FROM unnest(CAST(:ids AS uuid[]), CAST(:numbers AS bigint[]), CAST(:hashes AS bytea[]))
  AS place (id, no, hash)
WHERE event.id = place.id
""")

_MOVE_HEADS = text("""
INSERT INTO audit_chains (tenant_id, head_no, head_hash)
SELECT * FROM unnest(CAST(:tenants AS uuid[]), CAST(:numbers AS bigint[]), CAST(:hashes AS bytea[]))
ON CONFLICT (tenant_id) DO UPDATE
  SET head_no = excluded.head_no, head_hash = excluded.head_hash, chained_at = now()
""")

Heads = dict[UUID, tuple[int, bytes]]


def chain_events() -> int:
    """Chain every event that is surely complete.

    Returns:
        How many events it has chained.
    """
    total = 0
    while True:
        chained = chain_batch(_BATCH)
        total += chained
        if chained < _BATCH:
            return total


def chain_batch(size: int) -> int:
    """Chain up to `size` events in a transaction of their own; how many there were."""
    with queue_transaction() as session:
        session.execute(_LOCK)
        events = unchained_events(session, size)
        if events:
            plan_by_key(session)
            heads = _heads(session, {event.tenant_id for event in events})
            _place(session, events, heads)
            _move(session, heads)
    return len(events)


def _heads(session: Session, tenants: set[UUID]) -> Heads:
    query = select(AuditChain.tenant_id, AuditChain.head_no, AuditChain.head_hash)
    rows = session.execute(query.where(AuditChain.tenant_id.in_(tenants)))
    known = {row.tenant_id: (row.head_no, bytes(row.head_hash)) for row in rows}
    return {tenant: known.get(tenant, (0, GENESIS)) for tenant in tenants}


def _place(session: Session, events: Sequence[Row[Any]], heads: Heads) -> None:
    """Number and hash events in their order; `heads` are moved along."""
    numbers, hashes = [], []
    for event in events:
        last_no, last_hash = heads[event.tenant_id]
        link = link_hash(last_hash, last_no + 1, event)
        heads[event.tenant_id] = (last_no + 1, link)
        numbers.append(last_no + 1)
        hashes.append(link)
    ids = [event.id for event in events]
    placed: int = session.execute(  # type: ignore[attr-defined]  # an UPDATE's cursor result has it
        _PLACE, {"ids": ids, "numbers": numbers, "hashes": hashes}
    ).rowcount
    if placed != len(events):
        raise RuntimeError(f"{len(events)} events were to be chained, {placed} were")


def _move(session: Session, heads: Heads) -> None:
    places = {
        "tenants": list(heads),
        "numbers": [no for no, _ in heads.values()],
        "hashes": [link for _, link in heads.values()],
    }
    session.execute(_MOVE_HEADS, places)
