"""Use cases: a client follows its jobs."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.database.recent_reads import recent_reads
from app.database.transactions import read_transaction
from app.domain.job_filter import EVERY_JOB, JobFilter
from app.domain.windows import Window
from app.models.job import JobProgress
from app.queries import jobs as queries


def read_job(tenant_id: UUID, job_id: UUID) -> JobProgress:
    """Read a job.

    Raises:
        NotFound: no job of this tenant has the id.
    """
    with read_transaction(tenant_id) as session:
        return queries.find_job(session, tenant_id, job_id)


def list_jobs(
    tenant_id: UUID, window: Window, wanted: JobFilter = EVERY_JOB
) -> Sequence[JobProgress]:
    """Read jobs, in a window."""
    return recent_reads().read(
        tenant_id, lambda session: queries.list_jobs(session, tenant_id, window, wanted)
    )
