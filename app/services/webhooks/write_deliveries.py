"""A part of ending jobs: their webhooks are written in the transaction that ends them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.domain.identifiers import new_id
from app.domain.job_event import job_event
from app.domain.states import TERMINAL_EVENT, JobState
from app.domain.webhooks import event_payload
from app.models.job import Job
from app.models.webhook_delivery import WebhookDelivery
from app.models.webhook_endpoint import WebhookEndpoint


def write_deliveries(session: Session, jobs: Sequence[Job], finished_at: dt.datetime) -> None:
    """One row a job and endpoint that wants to know; unique, whoever ends the job twice.

    Endpoints that are disabled get theirs too: the delivery holds it until they are enabled again.
    """
    if not jobs:
        return
    endpoints = session.execute(select(WebhookEndpoint.id, WebhookEndpoint.events)).all()
    rows = [
        _delivery(job, endpoint.id, finished_at)
        for job in jobs
        for endpoint in endpoints
        if TERMINAL_EVENT[JobState(job.state)] in endpoint.events
        and job.webhook_endpoint_id in {None, endpoint.id}
    ]
    if rows:
        session.execute(insert(WebhookDelivery).values(rows).on_conflict_do_nothing())


def _delivery(job: Job, endpoint_id: UUID, finished_at: dt.datetime) -> dict[str, Any]:
    delivery_id = new_id()
    event = TERMINAL_EVENT[JobState(job.state)]
    return {
        "id": delivery_id,
        "tenant_id": job.tenant_id,
        "endpoint_id": endpoint_id,
        "job_id": job.id,
        "type": event.value,
        "payload": event_payload(delivery_id, event, finished_at, job_event(job)),
    }
