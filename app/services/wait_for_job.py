"""Use case: a client waits for a job to end."""

from __future__ import annotations

import time
from uuid import UUID

from sqlalchemy import select

from app.models.job import Job
from app.models.session import tenant_transaction

_LOOK_S = 0.2


def wait_until_terminal(tenant_id: UUID, job_id: UUID, timeout_s: float) -> bool:
    """Whether the job ends within `timeout_s`; no connection is held between two looks."""
    deadline = time.monotonic() + timeout_s
    while True:
        with tenant_transaction(tenant_id) as session:
            ended = session.execute(select(Job.finished_at).where(Job.id == job_id)).scalar()
        if ended is not None:
            return True
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return False
        time.sleep(min(_LOOK_S, remaining))
