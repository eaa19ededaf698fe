"""Use cases: a client follows its jobs."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from app.database.recent_reads import recent_reads
from app.database.transactions import read_transaction
from app.domain.states import JobState, Operation
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
    tenant_id: UUID,
    *,
    limit: int,
    after: UUID | None,
    state: JobState | None = None,
    operation: Operation | None = None,
) -> Sequence[JobProgress]:
    """Read jobs, newest first: up to `limit` and one more."""
    return recent_reads().read(
        tenant_id,
        lambda session: queries.list_jobs(
            session, tenant_id, limit=limit, after=after, state=state, operation=operation
        ),
    )
