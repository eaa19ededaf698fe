"""Use case: a job whose last item is closed ends, and its webhooks are written with it."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.domain.identifiers import new_id
from app.domain.job_event import job_event
from app.domain.states import TERMINAL_EVENT, JobState, advance
from app.domain.webhooks import event_payload
from app.models.job import Job
from app.models.session import after_commit
from app.services.notify import tell_job_finished

_ENDS = text("""
SELECT state FROM jobs
WHERE id = :job_id AND open_items = 0 AND sealed_at IS NOT NULL AND finished_at IS NULL
FOR UPDATE
""")

# Endpoints that are disabled get theirs too: the delivery holds it until they are enabled again.
_SUBSCRIBERS = text("""
SELECT id FROM webhook_endpoints
WHERE :type = ANY (events) AND (CAST(:endpoint_id AS uuid) IS NULL OR id = :endpoint_id)
""")

_DELIVER = text("""
INSERT INTO webhook_deliveries (id, tenant_id, endpoint_id, job_id, type, payload)
VALUES (:id, :tenant_id, :endpoint_id, :job_id, :type, :payload)
ON CONFLICT (endpoint_id, job_id, type) DO NOTHING
""")


def finish_job(session: Session, job_id: UUID, ending: JobState | None = None) -> bool:
    """End the job if nothing of it is open; returns whether this call was the one that did.

    Called by whoever closed the last item (result writer, canceller, reconciler), in the
    transaction that closed it. `ending` is for jobs that end otherwise than by their items.
    """
    state = session.execute(_ENDS, {"job_id": job_id}).scalar()
    if state is None:
        return False
    if ending is None:
        ending = JobState.CANCELED if state == JobState.CANCELLING else JobState.SUCCEEDED
    job = session.get_one(Job, job_id, populate_existing=True)
    finished_at = dt.datetime.now(dt.UTC)
    job.state, job.finished_at = advance(JobState(state), ending), finished_at
    session.flush()
    if job.notify_webhooks and current_app.config["SETTINGS"].enable_webhooks:
        _write_deliveries(session, job, finished_at)
    after_commit(session, lambda: tell_job_finished(job_id))
    return True


def _write_deliveries(session: Session, job: Job, finished_at: dt.datetime) -> None:
    event = TERMINAL_EVENT[JobState(job.state)]
    chosen: dict[str, Any] = {"type": event.value, "endpoint_id": job.webhook_endpoint_id}
    for endpoint_id in session.scalars(_SUBSCRIBERS, chosen).all():
        delivery_id = new_id()
        session.execute(
            _DELIVER,
            {
                "id": delivery_id,
                "tenant_id": job.tenant_id,
                "endpoint_id": endpoint_id,
                "job_id": job.id,
                "type": event.value,
                "payload": event_payload(delivery_id, event, finished_at, job_event(job)),
            },
        )
