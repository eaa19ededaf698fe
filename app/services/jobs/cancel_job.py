"""Use case: a client does not want a job any more."""

from __future__ import annotations

from uuid import UUID

from app.database.transactions import tenant_transaction
from app.domain.actor import Actor
from app.domain.request_errors import (
    JobAlreadyTerminal,
    NotFound,
)
from app.domain.states import TERMINAL_JOB_STATES, JobState
from app.models.job import Job, JobProgress
from app.queries.jobs import find_job
from app.services.jobs import move_job
from app.services.jobs.close_shards import close_unleased_shards
from app.services.jobs.finish_job import finish_job
from app.services.tenancy.record_audit import record_audit


def cancel_job(tenant_id: UUID, job_id: UUID, actor: Actor) -> JobProgress:
    """Close what nobody works on and let workers stop at their next batch; results stay.

    Returns:
        The job as it is now: canceled, or cancelling while workers still hold some of it.

    Raises:
        NotFound: the tenant has no such job.
        JobAlreadyTerminal: it ended before.
    """
    with tenant_transaction(tenant_id) as session:
        job = session.get(Job, job_id)
        if job is None or job.deleted_at is not None:
            raise NotFound("There is no such job")
        if JobState(job.state) in TERMINAL_JOB_STATES:
            raise JobAlreadyTerminal(f"The job has ended: {job.state}")
        close_unleased_shards(session, job_id)
        if not move_job.begin_cancel(session, job_id):
            raise JobAlreadyTerminal("The job has ended")
        record_audit(session, tenant_id, actor, "job.canceled", "job", job_id)
        finish_job(session, job_id)
        session.expire(job)  # SQL changed it behind the session's back
        return find_job(session, tenant_id, job_id)
