"""Jobs that are made step by step."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from app.database.transactions import tenant_transaction
from app.domain.identifiers import new_id
from app.domain.job_options import JobOptions
from app.domain.states import Operation, Priority
from app.models.job import Job
from app.services.jobs.make_job import append_items, create_job, seal_job
from app.services.jobs.resolve_items import ResolvedItems
from tests.factories.tenant_world import TenantWorld


def preparing(
    world: TenantWorld,
    model: str,
    *,
    collection_id: UUID | None = None,
    priority: Priority = Priority.BULK,
) -> UUID:
    """A job without items that is to detect faces, or to identify them in a collection."""
    now = dt.datetime.now(dt.UTC)
    job = Job(
        id=new_id(),
        tenant_id=world.tenant_id,
        operation=Operation.IDENTIFY if collection_id else Operation.DETECT,
        priority=priority,
        collection_id=collection_id,
        model=model,
        options=JobOptions().as_json(),
        metadata_={},
        notify_webhooks=True,
        awaited=False,
        created_at=now,
        expires_at=now + dt.timedelta(days=7),
    )
    with tenant_transaction(world.tenant_id) as session:
        create_job(session, job)
    return job.id


def append(world: TenantWorld, job_id: UUID, *names: str) -> None:
    """Append items by their custom ids, each with an image of that name."""
    rows: list[dict[str, str | None]] = [
        {
            "custom_id": name,
            "image_uri": world.uri(f"{name}.jpg"),
            "reference_uri": None,
            "subject_id": None,
        }
        for name in names
    ]
    with tenant_transaction(world.tenant_id) as session:
        append_items(session, job_id, ResolvedItems(rows))


def seal(world: TenantWorld, job_id: UUID) -> bool:
    """Seal a job; returns whether it ended with that."""
    with tenant_transaction(world.tenant_id) as session:
        return seal_job(session, job_id)
