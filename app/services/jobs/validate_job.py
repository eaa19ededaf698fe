"""Use case: a client asks what would become of a job, without submitting it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import current_app

from app.database.transactions import read_transaction
from app.domain.job_request import JobRequest
from app.services.jobs.new_job import by_collection_id, require_names
from app.services.jobs.resolve_items import foresee_faults

MOST_PROBLEMS = 20


@dataclass(frozen=True)
class ItemProblem:
    """What an item would fail with as the job is made."""

    custom_id: str
    code: str
    message: str


@dataclass(frozen=True)
class JobValidation:
    """How many items a request has, how many would fail at once, and the first of these."""

    items: int
    problem_count: int
    problems: list[ItemProblem]

    @property
    def valid(self) -> bool:
        """Whether every item would be tried."""
        return self.problem_count == 0


def validate_job(tenant_id: UUID, request: JobRequest) -> JobValidation:
    """Check a job as `submit_job` does, at the same things, and write nothing.

    Raises:
        Invalid, AttributesNotAllowed, NotFound: as `submit_job` would.
    """
    request.check(current_app.config["SETTINGS"].max_job_items)
    with read_transaction(tenant_id) as session:
        request = by_collection_id(session, tenant_id, request)
        require_names(session, tenant_id, request)
        faults = foresee_faults(session, tenant_id, request)
    found = [
        ItemProblem(item.custom_id, fault.code, fault.message)
        for item, fault in zip(request.items, faults, strict=True)
        if fault is not None
    ]
    return JobValidation(len(request.items), len(found), found[:MOST_PROBLEMS])
