"""Use case: an operator looks at the queue of all tenants."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import Row, text

from app.database.transactions import queue_transaction
from app.domain.source_pause import SourcePause
from app.queries import queue_depth
from app.queries.audit_chain import waiting_events
from app.queries.source_pauses import source_pauses

# A scrape must not add to the trouble of a database that is slow already.
_TIMEOUT = text("SET LOCAL statement_timeout = '2s'")


# Of the tenants for whom something waits, those for whom most does: series must not be without end.
_CLIENTS = 20


@dataclass(frozen=True)
class QueueSnapshot:
    """The queue at one moment; times in seconds."""

    pending: Sequence[Row[Any]]
    pending_of_clients: Sequence[Row[Any]]
    leaders: int
    unchained_events: int
    oldest_unchained_s: float
    leased_shards: int
    oldest_lease_s: float
    webhook_backlog: int
    dead_letters: int
    processing_jobs: int
    slots: dict[str, int]
    pauses: Sequence[SourcePause]

    @property
    def pending_items(self) -> int:
        """Items that nobody holds, of all models."""
        return sum(int(row.open_items) for row in self.pending)

    def as_dict(self) -> dict[str, Any]:
        """The numbers by name, for a terminal or a log line."""
        return {
            "pending_items": self.pending_items,
            "oldest_pending_s": round(max((float(r.oldest_s) for r in self.pending), default=0), 1),
            "processing_jobs": self.processing_jobs,
            "leased_shards": self.leased_shards,
            "oldest_lease_s": round(self.oldest_lease_s, 1),
            "webhook_backlog": self.webhook_backlog,
            "dead_letters": self.dead_letters,
            "dispatcher_leads": bool(self.leaders),
            "worker_slots": sum(self.slots.values()),
            "sources_away": ", ".join(pause.bucket for pause in self.pauses),
        }


def queue_snapshot() -> QueueSnapshot:
    """Read the queue.

    Raises:
        SQLAlchemyError: the database did not answer within two seconds a question.
    """
    with queue_transaction() as session:
        session.execute(_TIMEOUT)
        held = queue_depth.leases(session, current_app.config["SETTINGS"].lease_seconds)
        unchained, oldest = waiting_events(session)
        return QueueSnapshot(
            pending=queue_depth.pending_by_model(session),
            pending_of_clients=queue_depth.pending_by_tenant(session, _CLIENTS),
            leaders=queue_depth.leaders(session),
            unchained_events=unchained,
            oldest_unchained_s=_age_s(oldest),
            leased_shards=held.shards,
            oldest_lease_s=max(float(held.oldest_s), 0.0),
            webhook_backlog=queue_depth.webhook_backlog(session),
            dead_letters=queue_depth.waiting_dead_letters(session),
            processing_jobs=queue_depth.processing_jobs(session),
            slots=queue_depth.live_slots(session),
            pauses=source_pauses(session),
        )


def _age_s(since: dt.datetime | None) -> float:
    return max((dt.datetime.now(dt.UTC) - since).total_seconds(), 0.0) if since else 0.0
