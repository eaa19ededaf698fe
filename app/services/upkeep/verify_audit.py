"""Use case: whether the audit log still is what was chained and signed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from flask import current_app

from app.adapters.checkpoint_keys import CheckpointKeys
from app.database.transactions import owner_transaction
from app.domain.audit_checkpoint import Checkpoint
from app.domain.audit_report import AuditReport, BadEvent
from app.queries.audit_chain import audited_tenants, chained_in_all, checkpoints_of
from app.services.upkeep.checkpoint_audit import as_checkpoint, exported_checkpoints
from app.services.upkeep.prune_audit import HOLD_EVENTS
from app.services.upkeep.verify_chain import ChainCheck


def chained_event_count(tenant_id: UUID | None = None) -> int:
    """How many events there are to verify."""
    with owner_transaction() as session:
        return chained_in_all(session, tenant_id)


def verify_audit(
    tenant_id: UUID | None = None, progress: Callable[[int], None] = lambda _: None
) -> AuditReport:
    """Check chains against their events and against every checkpoint, also those in S3.

    Args:
        tenant_id: check this one's alone.
        progress: told how many more events were checked, a page at a time.

    Raises:
        StorageUnavailable: the checkpoints in S3 cannot be read.
        ConfigurationError: DATABASE_OWNER_URL is not set in this process.
    """
    exported = _by_tenant(exported_checkpoints(), tenant_id)
    with owner_transaction() as session:
        known = [tenant_id] if tenant_id else audited_tenants(session)
    report = AuditReport()
    for tenant in sorted({*known, *exported}):
        _verify_tenant(tenant, exported.get(tenant, ()), report, progress)
    return report


def _verify_tenant(
    tenant_id: UUID,
    exported: Sequence[Checkpoint],
    report: AuditReport,
    progress: Callable[[int], None],
) -> None:
    keys = CheckpointKeys.from_settings(current_app.config["SETTINGS"])
    with owner_transaction() as session:
        session.execute(HOLD_EVENTS)
        kept = [as_checkpoint(row) for row in checkpoints_of(session, tenant_id)]
        checkpoints = sorted({*kept, *exported}, key=lambda one: one.head.chain_no)
        believed = [one for one in checkpoints if keys.believe(one)]
        check = ChainCheck(session, tenant_id, believed, progress)
        bad = check.first_bad()
        if bad is None and len(believed) < len(checkpoints):
            bad = _forged(next(one for one in checkpoints if one not in believed))
    report.add(bad, events=check.events, checkpoints=check.compared)


def _forged(checkpoint: Checkpoint) -> BadEvent:
    head = checkpoint.head
    return BadEvent(
        head.tenant_id,
        "checkpoint",
        f"the checkpoint of {head.created_at:%Y-%m-%d %H:%M} is not signed by a key that is "
        f"known here ({checkpoint.signed_by}); see AUDIT_VERIFY_KEYS",
        head.chain_no,
    )


def _by_tenant(
    checkpoints: Iterable[Checkpoint], tenant_id: UUID | None
) -> dict[UUID, list[Checkpoint]]:
    found: dict[UUID, list[Checkpoint]] = defaultdict(list)
    for one in checkpoints:
        if tenant_id in {None, one.head.tenant_id}:
            found[one.head.tenant_id].append(one)
    return found
