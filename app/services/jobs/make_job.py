"""A job is made in three steps: create, append items, seal. A submission is all three at once.

Recognition does not wait for the seal: a shard can be taken as soon as it is committed. Only the
job's end waits, since nobody knows before what is still to come.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import Row, TextClause, bindparam, func, inspect, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.database.notify import wake_at_commit
from app.domain.request_errors import (
    DuplicateCustomId,
    JobSealed,
    NotFound,
)
from app.domain.states import ItemState, JobState, ShardState
from app.domain.usage import UsageOutcome
from app.models.job import Job, Shard
from app.services.jobs import move_job
from app.services.jobs.finish_job import finish_job
from app.services.jobs.resolve_items import ResolvedItems
from app.services.tenancy.note_usage import note_images

# What a job's columns are called in Python.
_ATTRIBUTES = {attribute.columns[0].name: attribute.key for attribute in inspect(Job).column_attrs}
_JSON = [
    bindparam(column.name, type_=column.type)
    for column in Job.__table__.columns
    if isinstance(column.type, JSONB)
]

_INSERT_JOB = f"""
INSERT INTO jobs ({", ".join(_ATTRIBUTES)})
VALUES ({", ".join(f":{column}" for column in _ATTRIBUTES)})
"""  # noqa: S608 - names of columns

_RAISE_COUNTS = """
UPDATE jobs SET total_items = total_items + :count,
  open_items = open_items + :count - :failed_count, failed_items = failed_items + :failed_count,
  errors_by_code = add_counts(errors_by_code, :failed_codes)
WHERE id = :id
"""

# What cannot be done is failed from the start, and a shard of nothing else is done.
_INSERT_SHARDS = f"""
INSERT INTO shards (job_id, shard_no, tenant_id, model, priority, first_seq, item_count, open_items,
  state)
SELECT :id, :first_shard + start / :shard_size, :tenant_id, :model, :priority, :first_seq + start,
  size, size - failed,
  CASE WHEN size = failed THEN '{ShardState.DONE}' ELSE '{ShardState.PENDING}' END
FROM generate_series(0, :count - 1, :shard_size) AS start,
  LATERAL (SELECT least(:shard_size, :count - start) AS size) AS whole,
  LATERAL (SELECT count(*) AS failed FROM unnest(CAST(:failed_places AS integer[])) AS place
    WHERE place >= start AND place < start + :shard_size) AS part
"""  # noqa: S608 - states of ours

_INSERT_ITEMS = f"""
INSERT INTO items (job_id, seq, tenant_id, custom_id, image_uri, image_version, reference_uri,
  reference_version, subject_id, error_code, error_message, state, finished_at)
SELECT :id, :first_seq + place - 1, :tenant_id, custom_id, image_uri, image_version, reference_uri,
  reference_version, subject_id, error_code, error_message,
  CASE WHEN error_code IS NULL THEN '{ItemState.PENDING}' ELSE '{ItemState.FAILED}' END,
  CASE WHEN error_code IS NOT NULL THEN now() END
FROM ROWS FROM (jsonb_to_recordset(CAST(:items AS jsonb))
  AS (custom_id text, image_uri text, image_version text, reference_uri text,
    reference_version text, subject_id uuid, error_code text, error_message text))
  WITH ORDINALITY AS row (custom_id, image_uri, image_version, reference_uri,
    reference_version, subject_id, error_code, error_message, place)
"""  # noqa: S608 - states of ours


def _with_items(statement: str) -> TextClause:
    # One statement for the job and all its rows: no object and no round trip an item. (COPY would
    # be faster still, but is refused on tables with row-level security and does not work under
    # gevent.)
    return text(f"WITH job AS ({statement}), shard AS ({_INSERT_SHARDS}) {_INSERT_ITEMS}")


_CREATE = text(_INSERT_JOB).bindparams(*_JSON)
_APPEND = _with_items(_RAISE_COUNTS).bindparams(bindparam("failed_codes", type_=JSONB()))
_MAKE = _with_items(_INSERT_JOB).bindparams(*_JSON)


def create_job(session: Session, new: Job) -> None:
    """Write a job without items, which takes them until it is sealed.

    Nobody who forgets to seal it keeps it alive: it ends at its `expires_at`.
    """
    _begin(new, JobState.PREPARING, ResolvedItems([]))
    session.execute(_CREATE, _values(new))


def append_items(session: Session, job_id: UUID, items: ResolvedItems) -> None:
    """Add items after those that are there, in shards of their own; commit soon, it locks the job.

    Raises:
        NotFound: the tenant has no such job.
        JobSealed: the job takes no more items.
        DuplicateCustomId: an item of the job has such a custom_id; the transaction is over.
    """
    job = lock_preparing(session, job_id)
    first_shard = next_shard(session, job_id)
    place = _place(items, first_shard=first_shard, first_seq=job.total_items)
    try:
        session.execute(_APPEND, job._asdict() | place)
    except IntegrityError as error:
        raise DuplicateCustomId from error
    failed = len(items.failed_places)
    note_images(session, job.tenant_id, job.operation, UsageOutcome.FAILED, failed)
    wake_at_commit(session)


def seal_job(session: Session, job_id: UUID) -> bool:
    """Say that the job has all its items; returns whether it ended with that: none was open.

    Raises:
        NotFound: the tenant has no such job.
        JobSealed: it was sealed before, or was canceled or ended.
    """
    lock_preparing(session, job_id)
    move_job.seal(session, job_id)
    return finish_job(session, job_id)


def make_job(session: Session, new: Job, items: ResolvedItems) -> bool:
    """Create a job, append all its items and seal it, in one statement.

    Returns whether it ended with that: nothing of it can be done.
    """
    hopeless = len(items.failed_places) == len(items.rows)
    _begin(new, JobState.PROCESSING if hopeless else JobState.QUEUED, items)
    new.sealed_at = new.created_at
    session.execute(_MAKE, _values(new) | _place(items, first_shard=0, first_seq=0))
    note_images(session, new.tenant_id, new.operation, UsageOutcome.FAILED, new.failed_items)
    return hopeless and finish_job(session, new.id)


def _begin(new: Job, state: JobState, items: ResolvedItems) -> None:
    new.state, new.total_items, new.failed_items = state, len(items.rows), len(items.failed_places)
    new.open_items = new.total_items - new.failed_items
    new.succeeded_items = new.canceled_items = 0
    new.errors_by_code, new.redriven_by = items.errors_by_code, []


def _values(new: Job) -> dict[str, Any]:
    return {column: getattr(new, attribute) for column, attribute in _ATTRIBUTES.items()}


def _place(items: ResolvedItems, *, first_shard: int, first_seq: int) -> dict[str, Any]:
    return {
        "items": items.as_json(),
        "count": len(items.rows),
        "failed_places": items.failed_places,
        "failed_count": len(items.failed_places),
        "failed_codes": items.errors_by_code,
        "first_shard": first_shard,
        "first_seq": first_seq,
        "shard_size": current_app.config["SETTINGS"].shard_size,
    }


def next_shard(session: Session, job_id: UUID) -> int:
    """The number of a job's next shard."""
    number = select(func.coalesce(func.max(Shard.shard_no) + 1, 0))
    return session.execute(number.where(Shard.job_id == job_id)).scalar_one()


def lock_preparing(session: Session, job_id: UUID) -> Row[UUID, UUID, str, str, str, str, int]:
    """What a job's items and shards repeat of it; the job is held by this transaction.

    Raises:
        NotFound: the tenant has no such job.
        JobSealed: it takes no more items.
    """
    query = select(
        Job.id,
        Job.tenant_id,
        Job.operation,
        Job.state,
        Job.model,
        Job.priority,
        Job.total_items,
    )
    job = session.execute(query.where(Job.id == job_id).with_for_update()).one_or_none()
    if job is None:
        raise NotFound("There is no such job")
    if job.state != JobState.PREPARING:
        raise JobSealed(f"The job is {job.state}: it takes no more items")
    return job
