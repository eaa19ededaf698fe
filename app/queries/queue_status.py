"""The state of the queue of record at a glance: for operators, metrics and logs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.queries.ready_shards import WORKER_ALIVE_S

_STATUS = text("""
SELECT
  (SELECT count(*) FROM shards WHERE state = 'pending') AS pending_shards,
  (SELECT coalesce(sum(open_items), 0) FROM shards WHERE state = 'pending') AS pending_items,
  (SELECT count(*) FROM shards WHERE state = 'pending' AND hint_expires_at > clock_timestamp())
    AS hinted_shards,
  (SELECT count(*) FROM shards WHERE state = 'leased') AS leased_shards,
  (SELECT coalesce(sum(open_items), 0) FROM shards WHERE state = 'leased') AS leased_items,
  (SELECT count(*) FROM shards WHERE isolated AND state IN ('pending', 'leased'))
    AS isolated_shards,
  (SELECT count(*) FROM jobs WHERE finished_at IS NULL) AS live_jobs,
  (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(jobs.created_at)), 0)
     FROM jobs WHERE state = 'queued') AS oldest_queued_s,
  (SELECT coalesce(extract(epoch FROM max(clock_timestamp() - leased_until)), 0)
     FROM shards WHERE state = 'leased' AND leased_until < clock_timestamp())
    AS oldest_overdue_lease_s,
  (SELECT count(*) FROM webhook_deliveries WHERE state = 'pending') AS pending_deliveries,
  (SELECT count(*) FROM dead_letters WHERE redriven_at IS NULL) AS dead_letters,
  (SELECT count(*) FROM workers WHERE seen_at > clock_timestamp() - make_interval(secs => :alive))
    AS live_workers,
  (SELECT coalesce(sum(slots), 0) FROM workers
     WHERE seen_at > clock_timestamp() - make_interval(secs => :alive)) AS live_slots
""")


@dataclass(frozen=True)
class QueueStatus:
    """Counts of now; ages are in seconds, 0 when there is nothing to be that old."""

    pending_shards: int
    pending_items: int
    hinted_shards: int
    leased_shards: int
    leased_items: int
    isolated_shards: int
    live_jobs: int
    oldest_queued_s: float
    oldest_overdue_lease_s: float
    pending_deliveries: int
    dead_letters: int
    live_workers: int
    live_slots: int

    def as_dict(self) -> dict[str, Any]:
        """The counts by name."""
        return asdict(self)


def queue_status(session: Session) -> QueueStatus:
    """Read the status over all tenants; needs the queue role."""
    row = session.execute(_STATUS, {"alive": WORKER_ALIVE_S}).mappings().one()
    kinds: dict[str, Callable[[Any], Any]] = {
        field.name: float if field.name.endswith("_s") else int for field in fields(QueueStatus)
    }
    return QueueStatus(**{name: kind(row[name]) for name, kind in kinds.items()})
