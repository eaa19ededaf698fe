"""Use cases of an operator: look at items that killed their workers, and try them again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database.transactions import owner_transaction, tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.job_options import JobOptions
from app.domain.job_request import ItemRequest, JobRequest
from app.domain.request_errors import (
    Conflict,
    NotFound,
)
from app.domain.states import Operation
from app.models.dead_letter import DeadLetter
from app.models.job import Item, Job
from app.models.subject import Subject
from app.services.jobs.submit_job import submit_job
from app.services.tenancy.record_audit import record_audit


def list_dead_letters(*, redriven: bool = False) -> Sequence[DeadLetter]:
    """Dead letters of every tenant, oldest first; those already redriven only when asked for."""
    query = select(DeadLetter).order_by(DeadLetter.id)
    if not redriven:
        query = query.where(DeadLetter.redriven_at.is_(None))
    with owner_transaction() as session:
        return session.execute(query).scalars().all()


def redrive(letter_id: UUID) -> UUID:
    """Submit the item again, as a job of one; returns that job's id.

    Raises:
        NotFound: no such dead letter, or its job was removed since.
        Conflict: it was redriven before.
    """
    tenant_id = _tenant_of(letter_id)
    with tenant_transaction(tenant_id) as session:
        letter = _lock(session, letter_id)
        job_id = submit_job(tenant_id, _request(session, letter), SYSTEM).id
        letter.redriven_at, letter.redriven_job_id = dt.datetime.now(dt.UTC), job_id
        detail = {"job_id": str(job_id)}
        record_audit(
            session, tenant_id, SYSTEM, "dead_letter.redriven", "dead_letter", letter_id, detail
        )
    return job_id


def _tenant_of(letter_id: UUID) -> UUID:
    """Whose letter it is: an operator does not say, and the app role sees one tenant's alone."""
    with owner_transaction() as session:
        letter = session.get(DeadLetter, letter_id)
    if letter is None:
        raise _no_letter(letter_id)
    return letter.tenant_id


def _lock(session: Session, letter_id: UUID) -> DeadLetter:
    """The letter, held until its job is written: a second operator waits here, and is refused."""
    letter = session.get(DeadLetter, letter_id, with_for_update=True)
    if letter is None:
        raise _no_letter(letter_id)
    if letter.redriven_job_id is not None:
        raise Conflict(f"It was redriven as job {letter.redriven_job_id}")
    return letter


def _no_letter(letter_id: UUID) -> NotFound:
    return NotFound(f"There is no dead letter {letter_id}; see: flask dead-letters list")


def _request(session: Session, letter: DeadLetter) -> JobRequest:
    job = session.get(Job, letter.job_id)
    item = session.get(Item, (letter.job_id, letter.item_seq))
    if job is None or item is None:
        raise NotFound("The job of this dead letter was removed; submit the image anew")
    subject = session.get(Subject, item.subject_id) if item.subject_id else None
    return JobRequest(
        operation=Operation(job.operation),
        items=(
            ItemRequest(
                custom_id=item.custom_id,
                image=item.image_uri,
                image_version=item.image_version,
                reference=item.reference_uri,
                reference_version=item.reference_version,
                subject=subject.external_id if subject else None,
            ),
        ),
        collection_id=job.collection_id,
        options=JobOptions.from_json(job.options),
        webhook_endpoint_id=job.webhook_endpoint_id,
        notify_webhooks=job.notify_webhooks,
        metadata=job.metadata_,
    )
