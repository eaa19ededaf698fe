"""Use cases: a client reads what was found in its images. Each request is an audit event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from app.database.recent_reads import RecentReads, recent_reads
from app.database.transactions import read_transaction, tenant_transaction
from app.domain.actor import Actor
from app.domain.request_errors import NotFound
from app.domain.states import ItemState
from app.models.job import ItemResult, Job
from app.queries.items import list_items
from app.queries.jobs import find_job
from app.services.tenancy.record_audit import record_audit

_CHUNK_ITEMS = 500


def read_results_page(
    tenant_id: UUID,
    job_id: UUID,
    actor: Actor,
    *,
    limit: int,
    after: int | None,
    state: ItemState | None = None,
) -> tuple[Job, Sequence[ItemResult]]:
    """Read a page of items: up to `limit` and one more.

    Raises:
        NotFound: no job of this tenant has the id.
    """
    query = partial(
        list_items, tenant_id=tenant_id, job_id=job_id, limit=limit, after=after, state=state
    )
    copy = _of_ended_job(recent_reads(), tenant_id, job_id, query)
    with tenant_transaction(tenant_id) as session:
        job = find_job(session, tenant_id, job_id).job
        items = copy.items if copy and copy.is_of(job) else query(session)
        detail = {"items": min(len(items), limit)}
        record_audit(session, tenant_id, actor, "job.results_read", "job", job_id, detail)
    return job, items


def export_results(
    tenant_id: UUID, job_id: UUID, actor: Actor
) -> tuple[Job, Iterator[Sequence[ItemResult]]]:
    """Read all items, in chunks.

    Each chunk is a short transaction of its own, not a server-side cursor: a client that reads
    slowly would hold a connection of the pool for as long.

    Raises:
        NotFound: no job of this tenant has the id; raised before the first chunk.
    """
    with tenant_transaction(tenant_id) as session:
        job = find_job(session, tenant_id, job_id).job
        detail = {"items": job.total_items}
        record_audit(session, tenant_id, actor, "job.results_exported", "job", job_id, detail)
    return job, _chunks(recent_reads(), job)


def _chunks(source: RecentReads, job: Job) -> Iterator[Sequence[ItemResult]]:
    after: int | None = None
    while True:
        items = _chunk(source, job, after)
        shown = items[:_CHUNK_ITEMS]
        if shown:
            yield shown
        if len(items) <= _CHUNK_ITEMS:
            return
        after = shown[-1].seq


def _chunk(source: RecentReads, job: Job, after: int | None) -> Sequence[ItemResult]:
    query = partial(
        list_items, tenant_id=job.tenant_id, job_id=job.id, limit=_CHUNK_ITEMS, after=after
    )
    copy = _of_ended_job(source, job.tenant_id, job.id, query)
    if copy and copy.is_of(job):
        return copy.items
    with read_transaction(job.tenant_id) as session:
        return query(session)


@dataclass(frozen=True)
class _Copy:
    """Items as the replica has them, and when it has the job end."""

    finished_at: dt.datetime
    items: Sequence[ItemResult]

    def is_of(self, job: Job) -> bool:
        """Whether nothing of the job is missing: all results were written before this end."""
        return self.finished_at == job.finished_at


def _of_ended_job(
    source: RecentReads,
    tenant_id: UUID,
    job_id: UUID,
    query: Callable[[Session], Sequence[ItemResult]],
) -> _Copy | None:
    def read(session: Session) -> _Copy | None:
        finished_at = find_job(session, tenant_id, job_id).job.finished_at
        return _Copy(finished_at, query(session)) if finished_at else None

    try:
        return source.try_replica(tenant_id, read)
    except NotFound:  # it may be new
        return None
