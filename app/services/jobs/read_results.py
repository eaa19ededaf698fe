"""Use cases: a client reads what was found in its images. Each request is an audit event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from app.database.transactions import tenant_transaction
from app.domain.actor import Actor
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
    with tenant_transaction(tenant_id) as session:
        job = find_job(session, tenant_id, job_id).job
        items = list_items(session, tenant_id, job_id, limit=limit, after=after, state=state)
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
    return job, _chunks(tenant_id, job_id)


def _chunks(tenant_id: UUID, job_id: UUID) -> Iterator[Sequence[ItemResult]]:
    after: int | None = None
    while True:
        with tenant_transaction(tenant_id) as session:
            items = list_items(session, tenant_id, job_id, limit=_CHUNK_ITEMS, after=after)
        shown = items[:_CHUNK_ITEMS]
        if shown:
            yield shown
        if len(items) <= _CHUNK_ITEMS:
            return
        after = shown[-1].seq
