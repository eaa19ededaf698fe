"""What waits, what is held and who works: read by the queue role, over all tenants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.domain.names import LEADER_LOCK
from app.queries.ready_shards import WORKER_ALIVE_S

_DEPTH = text("""
SELECT shards.model, shards.priority, sum(shards.open_items) AS open_items,
  extract(epoch FROM now() - min(jobs.created_at)) AS oldest_s
FROM shards JOIN jobs ON jobs.tenant_id = shards.tenant_id AND jobs.id = shards.job_id
WHERE shards.state = 'pending' AND jobs.finished_at IS NULL GROUP BY shards.model, shards.priority
""")
_LEASES = text("""
SELECT count(*) AS shards,
  coalesce(max(extract(epoch FROM now() - leased_until) + :lease_s), 0) AS oldest_s
FROM shards WHERE state = 'leased'
""")
_BACKLOG = text("SELECT count(*) FROM webhook_deliveries WHERE state = 'pending'")
_DEAD_LETTERS = text("SELECT count(*) FROM dead_letters WHERE redriven_at IS NULL")
_PROCESSING_JOBS = text("""
SELECT count(*) FROM jobs WHERE finished_at IS NULL
  AND (state = 'processing' OR (state = 'preparing' AND started_at IS NOT NULL))
""")
_SLOTS = text("""
SELECT model, sum(slots) AS slots FROM workers, unnest(models) AS model
WHERE seen_at > now() - make_interval(secs => :live_s) GROUP BY model
""")
_CLIENTS = text("""
SELECT shards.tenant_id, sum(shards.open_items) AS open_items,
  extract(epoch FROM now() - min(jobs.created_at)) AS oldest_s
FROM shards JOIN jobs ON jobs.tenant_id = shards.tenant_id AND jobs.id = shards.job_id
WHERE shards.state = 'pending' AND jobs.finished_at IS NULL GROUP BY shards.tenant_id
ORDER BY open_items DESC LIMIT :at_most
""")
_LEADERS = text("""
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
  AND classid = 0 AND objid = CAST(CAST(:lock AS bigint) AS oid)
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")
_OVERDUE = text("""
SELECT id, tenant_id, state,
  expires_at < now() AND (open_items > 0 OR sealed_at IS NULL) AS expired FROM jobs
WHERE finished_at IS NULL AND (state = 'cancelling' OR (open_items = 0 AND sealed_at IS NOT NULL)
  OR (state IN ('queued', 'preparing') AND expires_at < now())
  OR (state = 'processing' AND expires_at < now() AND NOT EXISTS (
    SELECT FROM shards LEFT JOIN source_pauses ON bucket = waits_for
    WHERE job_id = jobs.id AND (shards.state = 'leased'
      OR shards.state = 'pending' AND source_pauses.bucket IS NULL))))
ORDER BY expires_at LIMIT :at_most
""")
# A loose index scan: one probe of ix_shards_pending a model, whatever the number of shards.
_WAITING_MODELS = text("""
WITH RECURSIVE waiting AS (
  (SELECT model FROM shards WHERE state = 'pending' ORDER BY model LIMIT 1)
  UNION ALL
  SELECT (SELECT model FROM shards WHERE state = 'pending' AND model > waiting.model
          ORDER BY model LIMIT 1)
  FROM waiting WHERE waiting.model IS NOT NULL
)
SELECT model FROM waiting WHERE model IS NOT NULL
""")


def pending_by_model(session: Session) -> Sequence[Row[Any]]:
    """`model`, `priority`, `open_items`, `oldest_s`: work that nobody holds."""
    return session.execute(_DEPTH).all()


def pending_by_tenant(session: Session, at_most: int) -> Sequence[Row[Any]]:
    """`tenant_id`, `open_items`, `oldest_s` of those for whom most waits."""
    return session.execute(_CLIENTS, {"at_most": at_most}).all()


def leaders(session: Session) -> int:
    """Dispatchers that lead: 1, or 0 when none does and nothing new starts."""
    return int(session.scalar(_LEADERS, {"lock": LEADER_LOCK}) or 0)


def leases(session: Session, lease_s: float) -> Row[Any]:
    """`shards` that are held, and `oldest_s`: the longest time since a lease was last renewed."""
    return session.execute(_LEASES, {"lease_s": lease_s}).one()


def webhook_backlog(session: Session) -> int:
    """Deliveries that are still to be made, due or not."""
    return int(session.scalar(_BACKLOG) or 0)


def waiting_dead_letters(session: Session) -> int:
    """Dead letters that nobody has redriven."""
    return int(session.scalar(_DEAD_LETTERS) or 0)


def processing_jobs(session: Session) -> int:
    """Jobs that are under way, whether all their items are known yet or not."""
    return int(session.scalar(_PROCESSING_JOBS) or 0)


def live_slots(session: Session) -> dict[str, int]:
    """Slots of live workers by model."""
    rows = session.execute(_SLOTS, {"live_s": WORKER_ALIVE_S})
    return {row.model: int(row.slots) for row in rows}


def waiting_models(session: Session) -> set[str]:
    """Models of work that nobody holds."""
    return set(session.scalars(_WAITING_MODELS))


def overdue_jobs(session: Session, at_most: int) -> Sequence[Row[Any]]:
    """`id`, `tenant_id`, `state`, `expired` of jobs that nobody will end by themselves.

    Canceled ones whose last holder died, ones whose closer died before it ended them, and past
    their time, ones that are queued, that nobody sealed, or of which all that is open waits for a
    source that is away.
    """
    return session.execute(_OVERDUE, {"at_most": at_most}).all()
