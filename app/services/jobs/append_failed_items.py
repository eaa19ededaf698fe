"""A step of making a job: it gets the failed items of another, row by row within PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.database.notify import wake_at_commit
from app.domain.item_errors import SubjectDeleted, SubjectInvalid, SubjectUnknown
from app.domain.job_options import JobOptions
from app.domain.states import EnrolFaces, ItemState, Operation, ShardState
from app.domain.usage import UsageOutcome
from app.models.job import Job
from app.services.jobs.make_job import lock_preparing, next_shard
from app.services.tenancy.note_usage import note_images

# Whole shards, and no statement of minutes.
_SHARDS_A_BATCH = 100

_FAILED = f"""
  FROM items WHERE tenant_id = :tenant_id AND job_id = :source AND state = '{ItemState.FAILED}'
    AND (CAST(:codes AS text[]) IS NULL OR error_code = ANY (CAST(:codes AS text[])))
"""

_COUNT = text(f"SELECT count(*) {_FAILED}")

# What no try can help: a person that is gone, a person or an upload whose name was not kept since
# there was none when the item was submitted. All else is looked at by who reads the image.
_SUBJECT_CODES = ", ".join(f"'{e.code}'" for e in (SubjectInvalid, SubjectUnknown, SubjectDeleted))
_FAULT = f"""
    CASE
      WHEN picked.subject_id IS NOT NULL AND subjects.id IS NULL THEN '{SubjectDeleted.code}'
      WHEN image_uri = '' OR reference_uri = '' THEN error_code
      WHEN (:enrols_subjects OR (:verifies AND reference_uri IS NULL))
        AND picked.subject_id IS NULL THEN
        CASE WHEN error_code IN ({_SUBJECT_CODES}) THEN error_code ELSE '{SubjectUnknown.code}' END
    END
"""

_APPEND = text(f"""
WITH picked AS MATERIALIZED (
  SELECT *, row_number() OVER (ORDER BY seq) - 1 AS place FROM (
    SELECT seq, custom_id, image_uri, image_version, reference_uri, reference_version, subject_id,
      error_code, error_message
    {_FAILED} AND seq > :after ORDER BY seq LIMIT :most
  ) AS failed
), judged AS MATERIALIZED (
  SELECT picked.*, {_FAULT} AS fault
  FROM picked LEFT JOIN subjects
    ON subjects.id = picked.subject_id AND subjects.tenant_id = :tenant_id
), written AS (
  INSERT INTO items (job_id, seq, tenant_id, custom_id, image_uri, image_version, reference_uri,
    reference_version, subject_id, error_code, error_message, state, finished_at)
  SELECT :id, :first_seq + place, :tenant_id, custom_id, image_uri, image_version, reference_uri,
    reference_version, CASE WHEN fault IS NULL THEN subject_id END, fault,
    CASE WHEN fault = error_code THEN error_message
      WHEN fault = '{SubjectDeleted.code}' THEN :deleted WHEN fault IS NOT NULL THEN :unkept END,
    CASE WHEN fault IS NULL THEN '{ItemState.PENDING}' ELSE '{ItemState.FAILED}' END,
    CASE WHEN fault IS NOT NULL THEN now() END
  FROM judged
), shard AS (
  INSERT INTO shards (job_id, shard_no, tenant_id, model, priority, first_seq, item_count,
    open_items, state)
  SELECT :id, :first_shard + place / :shard_size, :tenant_id, :model, :priority,
    :first_seq + min(place), count(*), count(*) FILTER (WHERE fault IS NULL),
    CASE WHEN bool_and(fault IS NOT NULL) THEN '{ShardState.DONE}' ELSE '{ShardState.PENDING}' END
  FROM judged GROUP BY place / :shard_size
), counted AS (
  SELECT count(*) AS items, count(fault) AS failed, max(seq) AS last FROM judged
), codes AS (
  SELECT coalesce(jsonb_object_agg(fault, items), '{{}}') AS by_code
  FROM (SELECT fault, count(*) AS items FROM judged WHERE fault IS NOT NULL GROUP BY fault) AS told
), job AS (
  UPDATE jobs SET total_items = total_items + counted.items,
    open_items = open_items + counted.items - counted.failed,
    failed_items = failed_items + counted.failed,
    errors_by_code = add_counts(errors_by_code, codes.by_code)
  FROM counted, codes WHERE id = :id
)
SELECT items, failed, last FROM counted
""")  # noqa: S608 - SQL of ours


def count_failed_items(
    session: Session, tenant_id: UUID, job_id: UUID, codes: Sequence[str] | None
) -> int:
    """How many items of a job failed, with any code or with some."""
    of_job = {"tenant_id": tenant_id, "source": job_id, "codes": _array(codes)}
    return int(session.execute(_COUNT, of_job).scalar_one())


def append_failed_items(
    session: Session, job_id: UUID, source: Job, codes: Sequence[str] | None
) -> None:
    """Add the failed items of a job that has ended to one that is being prepared, as they were.

    They keep their order and `custom_id`s. One that no try can help has failed with that.

    Raises:
        NotFound: the tenant has no such job.
        JobSealed: the job takes no more items.
    """
    size = current_app.config["SETTINGS"].shard_size
    after: int | None = -1
    while after is not None:
        job = lock_preparing(session, job_id)
        place = {
            "first_seq": job.total_items,
            "first_shard": next_shard(session, job_id),
            "shard_size": size,
            "most": size * _SHARDS_A_BATCH,
        }
        values = {**job._asdict(), **place, **_of(source), "codes": _array(codes), "after": after}
        added = session.execute(_APPEND, values).one()
        note_images(session, job.tenant_id, job.operation, UsageOutcome.FAILED, added.failed)
        after = added.last if added.items == place["most"] else None
    wake_at_commit(session)


def _of(source: Job) -> dict[str, Any]:
    enrols = JobOptions.from_json(source.options).enrols
    return {
        "source": source.id,
        "enrols_subjects": source.operation == Operation.ENROL and enrols is not EnrolFaces.ALL,
        "verifies": source.operation == Operation.VERIFY,
        "deleted": "the subject was deleted after the job was submitted",
        "unkept": "whom the item names was deleted, or not made since the item failed at once; "
        "submit it anew",
    }


def _array(codes: Sequence[str] | None) -> list[str] | None:
    return None if codes is None else list(codes)
