"""The body of a job's webhook: what happened to which job, never an image or an embedding."""

from __future__ import annotations

from typing import Any, Protocol
from uuid import UUID


class EndedJob(Protocol):
    """The columns of a job that its event tells."""

    id: UUID
    operation: str
    state: str
    total_items: int
    succeeded_items: int
    failed_items: int
    canceled_items: int
    errors_by_code: dict[str, int]


def job_event(job: EndedJob) -> dict[str, Any]:
    """What the webhook of an ended job says: state, counts, and where the results are.

    `errors_by_code` counts the failed items by the codes of their errors.
    """
    path = f"/api/v1/jobs/{job.id}"
    return {
        "job_id": str(job.id),
        "operation": job.operation,
        "state": job.state,
        "counts": {
            "total": job.total_items,
            "succeeded": job.succeeded_items,
            "failed": job.failed_items,
            "canceled": job.canceled_items,
        },
        "errors_by_code": job.errors_by_code,
        "links": {
            "job": path,
            "items": f"{path}/items",
            "results": f"{path}/results.jsonl",
        },
    }
