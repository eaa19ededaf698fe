"""What a tenant has of what is limited, and what an operator allows it, inside its transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.domain.states import JOB_TRANSITIONS
from app.domain.tenant_limits import Limit
from app.models.tenant_limits import TenantLimits

WORK = (Limit.JOBS_IN_FLIGHT, Limit.ITEMS_WAITING)
STORAGE = (Limit.STORAGE_BYTES,)

# By state, as ix_jobs_tenant_id_state_id is: jobs that have ended are not looked at.
_OPEN_STATES = ", ".join(f"'{state}'" for state, moves in JOB_TRANSITIONS.items() if moves)
_COUNTS = {
    WORK: f"""
SELECT count(*) AS jobs_in_flight, coalesce(sum(open_items), 0) AS items_waiting
FROM jobs WHERE tenant_id = :tenant_id AND state IN ({_OPEN_STATES})
""",  # noqa: S608 - states of ours
    STORAGE: """
SELECT coalesce(sum(byte_count), 0) AS storage_bytes FROM images WHERE tenant_id = :tenant_id
""",
}
# One round trip for what there is and what is allowed.
_STATEMENTS = {
    limits: text(f"""
SELECT {", ".join(f"used.{limit}, allowed.{limit} AS max_{limit}" for limit in limits)}
FROM ({count}) AS used LEFT JOIN tenant_limits AS allowed ON allowed.tenant_id = :tenant_id
""")  # noqa: S608 - names of ours
    for limits, count in _COUNTS.items()
}


def count_use(
    session: Session, tenant_id: UUID, limits: Sequence[Limit]
) -> dict[Limit, tuple[int, int | None]]:
    """For each limit of WORK or of STORAGE, how much is used and the operator's limit, if any."""
    row = session.execute(_STATEMENTS[tuple(limits)], {"tenant_id": tenant_id}).mappings().one()
    return {limit: (int(row[limit]), row[f"max_{limit}"]) for limit in limits}


def find_overrides(session: Session, tenant_id: UUID) -> dict[Limit, int]:
    """What an operator allows the tenant otherwise than by default."""
    row = session.get(TenantLimits, tenant_id)
    found = {limit: getattr(row, limit, None) for limit in Limit}
    return {limit: amount for limit, amount in found.items() if amount is not None}
