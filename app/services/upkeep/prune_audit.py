"""Use case of the operator: old audit events go, and the chain says where it begins now."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from app.database.transactions import owner_transaction
from app.domain.actor import SYSTEM
from app.domain.request_errors import Conflict
from app.models.audit_chain import AuditChain
from app.models.audit_event import AuditEvent
from app.queries.audit_chain import first_event_from, hash_at
from app.services.tenancy.record_audit import record_audit

# The action of the event that tells of a removal; verifying looks for it.
REMOVAL = "audit.events_removed"

# Whoever verifies holds it shared, so that events do not go while they are being read.
_LOCK = text("SELECT pg_advisory_xact_lock(:lock)").bindparams(lock=0x_FACE_0005)
HOLD_EVENTS = text("SELECT pg_advisory_xact_lock_shared(:lock)").bindparams(lock=0x_FACE_0005)


def prune_audit(tenant_id: UUID, before: dt.datetime) -> int:
    """Remove a tenant's chained events up to the first that is not older than `before`.

    The chain then begins behind them, at the hash of the last one; an event says so.

    Returns:
        How many events were removed.

    Raises:
        Conflict: the tenant has no chain.
    """
    with owner_transaction() as session:
        session.execute(_LOCK)
        chain = session.get(AuditChain, tenant_id, with_for_update=True)
        if chain is None:
            raise Conflict("No event of this tenant is chained yet; run: flask audit chain")
        first_kept = first_event_from(session, tenant_id, before)
        through_no = chain.head_no if first_kept is None else first_kept - 1
        if through_no <= chain.anchor_no:
            return 0
        return _remove(session, chain, through_no)


def _remove(session: Session, chain: AuditChain, through_no: int) -> int:
    removed = through_no - chain.anchor_no
    chain.anchor_hash = hash_at(session, chain.tenant_id, through_no)
    chain.anchor_no = through_no
    detail = {
        "events": removed,
        "through_no": through_no,
        "through_hash": chain.anchor_hash.hex(),
    }
    record_audit(session, chain.tenant_id, SYSTEM, REMOVAL, "audit_chain", None, detail)
    session.execute(
        delete(AuditEvent)
        .where(AuditEvent.tenant_id == chain.tenant_id, AuditEvent.chain_no <= through_no)
        .execution_options(synchronize_session=False)
    )
    return removed
