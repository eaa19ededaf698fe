"""The body of a job's webhook: what happened to which job, never an image or an embedding."""

from __future__ import annotations

import datetime as dt
import json
from typing import Protocol
from uuid import UUID

from app.domain.states import EventType


class EndedJob(Protocol):
    """The columns of a job that its event tells."""

    id: UUID
    operation: str
    state: str
    total_items: int
    succeeded_items: int
    failed_items: int
    canceled_items: int
    finished_at: dt.datetime | None


def job_event(event: EventType, job: EndedJob) -> str:
    """The frozen payload, as JSON: the same bytes are signed and sent at every attempt."""
    path = f"/api/v1/jobs/{job.id}"
    finished = job.finished_at.astimezone(dt.UTC).isoformat() if job.finished_at else None
    return json.dumps(
        {
            "type": event.value,
            "timestamp": finished,
            "data": {
                "job_id": str(job.id),
                "operation": job.operation,
                "state": job.state,
                "counts": {
                    "total": job.total_items,
                    "succeeded": job.succeeded_items,
                    "failed": job.failed_items,
                    "canceled": job.canceled_items,
                },
                "links": {
                    "job": path,
                    "items": f"{path}/items",
                    "results": f"{path}/results.jsonl",
                },
            },
        },
        separators=(",", ":"),
    )
