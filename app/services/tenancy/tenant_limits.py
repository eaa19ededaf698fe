"""Use cases of the operator: limits of one tenant instead of the installation's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import current_app
from sqlalchemy.dialects.postgresql import insert

from app.config import Settings
from app.database.transactions import owner_transaction
from app.domain.actor import SYSTEM
from app.domain.tenant_limits import Limit
from app.models.tenant_limits import TenantLimits
from app.queries.tenant_use import STORAGE, WORK, count_use, find_overrides
from app.services.tenancy.record_audit import record_audit
from app.services.tenancy.tenants import require_tenant


@dataclass(frozen=True)
class TenantLimit:
    """One limit as it holds for a tenant; `used` is None where PostgreSQL does not count it."""

    name: Limit
    amount: int
    is_own: bool
    used: int | None


def default_limits() -> dict[Limit, int]:
    """What a tenant may have and do for which the operator set nothing else."""
    settings: Settings = current_app.config["SETTINGS"]
    return {
        Limit.JOBS_IN_FLIGHT: settings.max_jobs_in_flight,
        Limit.ITEMS_WAITING: settings.max_items_waiting,
        Limit.REQUESTS_PER_MINUTE: settings.api_tenant_rate_limit_per_minute,
        Limit.STORAGE_BYTES: settings.max_storage_bytes,
    }


def set_limits(tenant_id: UUID, amounts: Mapping[Limit, int | None]) -> None:
    """Give a tenant limits of its own; None takes one back to the default. Others stay.

    Raises:
        NotFound: no tenant has the id.
    """
    with owner_transaction() as session:
        require_tenant(session, tenant_id)
        values = {limit.value: amount for limit, amount in amounts.items()}
        statement = insert(TenantLimits).values(tenant_id=tenant_id, **values)
        session.execute(statement.on_conflict_do_update(index_elements=["tenant_id"], set_=values))
        action = "tenant.limits_changed"
        record_audit(session, tenant_id, SYSTEM, action, "tenant", tenant_id, values)


def list_limits(tenant_id: UUID) -> list[TenantLimit]:
    """Read all limits of a tenant, counted now.

    Raises:
        NotFound: no tenant has the id.
    """
    with owner_transaction() as session:
        require_tenant(session, tenant_id)
        own = find_overrides(session, tenant_id)
        counts = [count_use(session, tenant_id, limits) for limits in (WORK, STORAGE)]
    used = {limit: count for counted in counts for limit, (count, _) in counted.items()}
    return [
        TenantLimit(limit, own.get(limit, default), limit in own, used.get(limit))
        for limit, default in default_limits().items()
    ]
