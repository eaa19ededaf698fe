"""Shards that could start now, fairly spread over tenants; and how much room the workers have."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.domain.fairness import Candidate
from app.domain.lease import ShardRef
from app.domain.states import Priority

# A loose index scan: one probe of ix_shards_pending a tenant, whatever the number of shards.
_READY = text("""
WITH RECURSIVE waiting AS (
  (SELECT tenant_id FROM shards
   WHERE model = :model AND priority = :priority AND state = 'pending'
   ORDER BY tenant_id LIMIT 1)
  UNION ALL
  SELECT (SELECT tenant_id FROM shards
          WHERE model = :model AND priority = :priority AND state = 'pending'
            AND tenant_id > waiting.tenant_id
          ORDER BY tenant_id LIMIT 1)
  FROM waiting WHERE waiting.tenant_id IS NOT NULL
)
SELECT ready.job_id, ready.shard_no, ready.tenant_id, ready.open_items
FROM waiting CROSS JOIN LATERAL (
  SELECT job_id, shard_no, tenant_id, open_items FROM shards
  WHERE model = :model AND priority = :priority AND state = 'pending'
    AND tenant_id = waiting.tenant_id
    AND (:hinted OR hint_expires_at IS NULL OR hint_expires_at < clock_timestamp())
    AND (NOT isolated OR :isolated)
    AND open_items <= :largest
    AND (waits_for IS NULL OR waits_for <> ALL (
      ARRAY(SELECT bucket FROM source_pauses WHERE until > statement_timestamp())))
  ORDER BY job_id, shard_no LIMIT :per_tenant
) AS ready
WHERE waiting.tenant_id IS NOT NULL
""")

_LARGEST_INTEGER = 2**31 - 1

# A worker whose heartbeat is older than this counts no longer.
WORKER_ALIVE_S = 15

# Two counts, and no clock that runs on within a statement: either would keep the indexes out.
_ROOM = text("""
SELECT live.model, live.slots, (
  SELECT count(*) FROM shards
  WHERE model = live.model AND state = 'leased' AND leased_until > statement_timestamp()
) + (
  SELECT count(*) FROM shards
  WHERE model = live.model AND state = 'pending' AND hint_expires_at > statement_timestamp()
) AS taken
FROM (
  SELECT model, sum(slots) AS slots FROM workers, unnest(models) AS model
  WHERE seen_at > clock_timestamp() - make_interval(secs => :alive) GROUP BY model
) AS live
""")


def ready_shards(
    session: Session,
    model: str,
    priority: Priority,
    *,
    per_tenant: int,
    largest: int = _LARGEST_INTEGER,
    isolated: bool = True,
    hinted: bool = False,
) -> list[Candidate]:
    """Pending shards: the oldest `per_tenant` of each tenant.

    Those that wait for a source of images are not among them while its pause lasts.
    `largest` bounds the open items of a shard; `isolated` says whether shards that lost a worker
    are among them, and `hinted`, whether those that a message already waits for.
    """
    parameters = {
        "model": model,
        "priority": priority.value,
        "per_tenant": per_tenant,
        "largest": largest,
        "isolated": isolated,
        "hinted": hinted,
    }
    return [
        Candidate(ShardRef(row.job_id, row.shard_no), row.tenant_id, priority, row.open_items)
        for row in session.execute(_READY, parameters)
    ]


def room_by_model(session: Session) -> dict[str, int]:
    """For each model with a live worker: how many more shards may be leased or hinted.

    The window is twice the live slots, so that a slot never waits for the dispatcher, and a flushed
    broker loses little.
    """
    rows = session.execute(_ROOM, {"alive": WORKER_ALIVE_S})
    return {row.model: max(0, 2 * int(row.slots) - int(row.taken)) for row in rows}
