"""Use case: a client waits for a job to end."""

from __future__ import annotations

from uuid import UUID

from flask import current_app
from sqlalchemy import select

from app.database.transactions import tenant_transaction
from app.models.job import Job
from app.services.jobs.job_hub import JobHub


def wait_until_terminal(tenant_id: UUID, job_id: UUID, timeout_s: float) -> bool:
    """Whether the job ends within `timeout_s`; no pooled connection is held meanwhile.

    The waiter registers first and then looks: an end between the two is not missed.
    """
    with _hub().waiter(job_id) as ended:
        with tenant_transaction(tenant_id) as session:
            finished = session.execute(select(Job.finished_at).where(Job.id == job_id)).scalar()
        return finished is not None or ended.wait(timeout_s)


def _hub() -> JobHub:
    """The process's hub: made at first use, so that each gunicorn worker has its own."""
    extensions = current_app.extensions
    if "job_hub" not in extensions:
        extensions["job_hub"] = JobHub(current_app.config["SETTINGS"].database_queue_url)
    hub: JobHub = extensions["job_hub"]
    return hub
