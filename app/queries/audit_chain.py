"""Reads of the audit chain, over all tenants: for the chainer and for whoever verifies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from app.domain.audit_chain import GENESIS
from app.models.audit_chain import AuditChain, AuditCheckpoint
from app.models.audit_event import AuditEvent

_EVENT = """id, tenant_id, action, actor_key_id, actor_name, actor_address, target_type, target_id,
  CAST(detail AS text) AS detail, request_id, created_at, transaction_id, chain_no, chain_hash"""

# No transaction below the snapshot's xmin still runs, so that none can commit an event that belongs
# before these. One at or above its xmax, whose event is nevertheless seen, is of the server from
# which this database was restored: it has ended long ago.
_UNCHAINED = text(f"""
SELECT {_EVENT} FROM audit_events
WHERE chain_no IS NULL
  AND (transaction_id < CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)
    OR transaction_id >= CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint))
ORDER BY transaction_id, id LIMIT :limit
""")  # noqa: S608 - columns of ours

_CHAINED = text(f"""
SELECT {_EVENT} FROM audit_events
WHERE tenant_id = :tenant_id AND chain_no > :after ORDER BY chain_no LIMIT :limit
""")  # noqa: S608 - columns of ours

# One look into the index a tenant, not one an event.
_TENANTS = text("""
WITH RECURSIVE found (id) AS (
  (SELECT tenant_id FROM audit_events ORDER BY tenant_id LIMIT 1)
  UNION ALL
  SELECT (SELECT tenant_id FROM audit_events WHERE tenant_id > found.id ORDER BY tenant_id LIMIT 1)
  FROM found WHERE found.id IS NOT NULL
)
SELECT id FROM found WHERE id IS NOT NULL
UNION SELECT tenant_id FROM audit_chains UNION SELECT tenant_id FROM audit_checkpoints
ORDER BY 1
""")

_OLDEST_UNCHAINED = text("""
SELECT id, created_at FROM audit_events
WHERE tenant_id = :tenant_id AND chain_no IS NULL AND created_at < :before ORDER BY id LIMIT 1
""")

_BEYOND_HEAD = text("""
SELECT id, chain_no FROM audit_events
WHERE tenant_id = :tenant_id AND chain_no > coalesce(
  (SELECT head_no FROM audit_chains WHERE tenant_id = :tenant_id), 0)
ORDER BY chain_no LIMIT 1
""")

_WAITING = text("SELECT count(*), min(created_at) FROM audit_events WHERE chain_no IS NULL")

# Numbers begin at 1; whoever slips an event in need not keep to that.
_BELOW_ANY = -(2**63)

_REMOVAL = text("""
SELECT 1 FROM audit_events WHERE tenant_id = :tenant_id AND action = :action
  AND detail @> jsonb_build_object('through_no', CAST(:no AS bigint), 'through_hash', :hash)
LIMIT 1
""")


def unchained_events(session: Session, limit: int) -> Sequence[Row[Any]]:
    """Events without a place in the chain that no event can come before any more, in order."""
    return session.execute(_UNCHAINED, {"limit": limit}).all()


def waiting_events(session: Session) -> tuple[int, dt.datetime | None]:
    """How many events have no place in the chain yet, and the time of the oldest."""
    count, oldest = session.execute(_WAITING).one()
    return count, oldest


def chained_events(session: Session, tenant_id: UUID, page: int) -> Iterator[Sequence[Row[Any]]]:
    """A tenant's chained events by their numbers, a page at a time: memory stays the same."""
    after = _BELOW_ANY
    while rows := session.execute(
        _CHAINED, {"tenant_id": tenant_id, "after": after, "limit": page}
    ).all():
        yield rows
        after = rows[-1].chain_no


def chain_of(session: Session, tenant_id: UUID) -> AuditChain:
    """Where a tenant's chain begins and ends; one that has not begun ends where it begins."""
    found = session.get(AuditChain, tenant_id)
    return found or AuditChain(
        tenant_id=tenant_id, head_no=0, head_hash=GENESIS, anchor_no=0, anchor_hash=GENESIS
    )


def audited_tenants(session: Session) -> Sequence[UUID]:
    """Every tenant of which there is an event, a chain or a checkpoint, erased ones among them."""
    return session.execute(_TENANTS).scalars().all()


def chained_in_all(session: Session, tenant_id: UUID | None) -> int:
    """How many events the chains hold; for a progress bar."""
    query = select(AuditChain.head_no, AuditChain.anchor_no)
    if tenant_id is not None:
        query = query.where(AuditChain.tenant_id == tenant_id)
    return sum(row.head_no - row.anchor_no for row in session.execute(query))


def checkpoints_of(session: Session, tenant_id: UUID) -> Sequence[AuditCheckpoint]:
    """The checkpoints that the database keeps of a tenant's chain, in order."""
    query = select(AuditCheckpoint).where(AuditCheckpoint.tenant_id == tenant_id)
    return session.scalars(query.order_by(AuditCheckpoint.chain_no, AuditCheckpoint.id)).all()


def oldest_unchained(session: Session, tenant_id: UUID, before: dt.datetime) -> Row[Any] | None:
    """The first event that was written before a moment and still has no place in the chain."""
    found = {"tenant_id": tenant_id, "before": before}
    return session.execute(_OLDEST_UNCHAINED, found).one_or_none()


def beyond_head(session: Session, tenant_id: UUID) -> Row[Any] | None:
    """An event with a number that the chain has not given away yet."""
    return session.execute(_BEYOND_HEAD, {"tenant_id": tenant_id}).one_or_none()


def first_event_from(session: Session, tenant_id: UUID, moment: dt.datetime) -> int | None:
    """The number of the first chained event that is not older than a moment; None if all are."""
    query = select(AuditEvent.chain_no).where(
        AuditEvent.tenant_id == tenant_id,
        AuditEvent.chain_no.is_not(None),
        AuditEvent.created_at >= moment,
    )
    return session.scalars(query.order_by(AuditEvent.chain_no).limit(1)).one_or_none()


def hash_at(session: Session, tenant_id: UUID, chain_no: int) -> bytes:
    """The hash of the event that has a number."""
    query = select(AuditEvent.chain_hash).where(
        AuditEvent.tenant_id == tenant_id, AuditEvent.chain_no == chain_no
    )
    return bytes(session.scalars(query).one() or b"")


def is_removal_on_record(
    session: Session, tenant_id: UUID, action: str, through_no: int, through_hash: bytes
) -> bool:
    """Whether an event tells that all events up to a number were removed on purpose."""
    found = {
        "tenant_id": tenant_id,
        "action": action,
        "no": through_no,
        "hash": through_hash.hex(),
    }
    return session.execute(_REMOVAL, found).first() is not None
