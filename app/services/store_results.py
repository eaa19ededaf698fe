"""Use case: a worker's batch becomes results, once, whoever else may think it holds the shard."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.domain.errors import ItemError, LeaseLost, SubjectDeleted, WorkerCrashed
from app.domain.item_rules import judge
from app.domain.job_options import JobOptions
from app.domain.lease import Lease
from app.domain.outcomes import ItemOutcome
from app.domain.states import ItemState, Operation
from app.models.collection import Collection
from app.models.job import Job
from app.models.session import tenant_transaction
from app.queries.shard_items import claimed_subjects
from app.services.close_shards import fail_without_collection, settle_job
from app.services.enrol_faces import EnrolledFace, enrol_faces
from app.services.match_faces import (
    FaceDecision,
    FaceKey,
    PairDecision,
    identify_faces,
    verify_pairs,
)
from app.services.write_detections import write_detections

_LOCK = text("""
SELECT shard_no FROM shards
WHERE job_id = :job_id AND shard_no = :shard_no AND lease_token = :token AND state = 'leased'
FOR UPDATE
""")

_CLOSE_ITEMS = text("""
UPDATE items SET state = row.state, error_code = row.error_code, error_message = row.error_message,
  decision = row.decision, similarity = row.similarity, fmr = row.fmr, width = row.width,
  height = row.height, image_sha256 = decode(row.sha256, 'hex'), finished_at = now()
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (seq integer, state text, error_code text,
  error_message text, decision text, similarity real, fmr double precision, width integer,
  height integer, sha256 text)
WHERE items.job_id = :job_id AND items.seq = row.seq AND items.state = 'pending'
RETURNING items.seq, items.state
""")

_COUNT_SHARD = text("""
UPDATE shards SET open_items = open_items - :closed, attempt_count = 0, trial_seq = NULL,
  trial_deaths = 0,
  isolated = isolated AND NOT :cleared,
  state = CASE WHEN open_items = :closed THEN 'done' ELSE state END,
  leased_until = CASE WHEN open_items = :closed THEN NULL ELSE leased_until END,
  lease_instance = CASE WHEN open_items = :closed THEN NULL ELSE lease_instance END,
  lease_pid = CASE WHEN open_items = :closed THEN NULL ELSE lease_pid END
WHERE job_id = :job_id AND shard_no = :shard_no
""")


@dataclass(frozen=True)
class ShardResults:
    """A part of one leased shard that was recognised together."""

    lease: Lease
    outcomes: tuple[ItemOutcome, ...]


@dataclass(frozen=True)
class _Judged:
    """What a shard's outcomes amount to: decided before anything is written."""

    outcomes: dict[int, ItemOutcome]
    claimed: dict[int, UUID | None]
    faces: dict[FaceKey, FaceDecision]
    pairs: dict[int, PairDecision]


def store_results(results: ShardResults) -> bool:
    """Commit the results of a batch; returns whether the job goes on.

    In this order: lock the shard by its fencing token; close the items that are still open; insert
    what belongs to those alone; last, the counters of shard and job.

    Raises:
        LeaseLost: the shard is another worker's now, and nothing was written.
    """
    lease = results.lease
    with tenant_transaction(lease.tenant_id) as session:
        _lock(session, lease)
        job = session.get_one(Job, lease.shard.job_id)
        collection = session.get(Collection, job.collection_id) if job.collection_id else None
        if collection is None and fail_without_collection(session, job):
            return False
        judged = _judge(session, job, collection, results.outcomes)
        closed = _close_items(session, job, judged)
        enrolled = _enrol(session, job, collection, judged, closed)
        write_detections(session, job, judged.outcomes, closed, judged.faces, enrolled)
        _count(session, lease, job, closed, judged)
        return not settle_job(session, job.id, lease)


def _lock(session: Session, lease: Lease) -> None:
    if session.execute(_LOCK, lease.key).first() is None:
        raise LeaseLost(f"shard {lease.shard} is no longer held under token {lease.token}")


def _judge(
    session: Session, job: Job, collection: Collection | None, outcomes: Sequence[ItemOutcome]
) -> _Judged:
    operation, options = Operation(job.operation), JobOptions.from_json(job.options)
    judged = {outcome.seq: judge(operation, options, outcome) for outcome in outcomes}
    claimed: dict[int, UUID | None] = {}
    if operation in {Operation.ENROL, Operation.VERIFY}:
        claimed = claimed_subjects(session, job.id, list(judged))
        judged = _without_deleted_subjects(session, judged, claimed)
    faces: dict[FaceKey, FaceDecision] = {}
    pairs: dict[int, PairDecision] = {}
    if operation is Operation.IDENTIFY and collection is not None:
        faces = identify_faces(session, job, collection, judged.values())
    elif operation is Operation.VERIFY:
        pairs = verify_pairs(session, job, collection, judged.values(), claimed)
    return _Judged(judged, claimed, faces, pairs)


_LIVING_SUBJECTS = text("SELECT id FROM subjects WHERE id = ANY (:ids) FOR KEY SHARE")


def _without_deleted_subjects(
    session: Session, outcomes: dict[int, ItemOutcome], claimed: dict[int, UUID | None]
) -> dict[int, ItemOutcome]:
    wanted = sorted({subject for subject in claimed.values() if subject is not None})
    living = set(session.execute(_LIVING_SUBJECTS, {"ids": wanted}).scalars()) if wanted else set()
    return {
        seq: (
            outcome
            if claimed.get(seq) is None or claimed[seq] in living
            else ItemOutcome(
                seq, outcome.image, error=SubjectDeleted("the subject was deleted meanwhile")
            )
        )
        for seq, outcome in outcomes.items()
    }


def _close_items(session: Session, job: Job, judged: _Judged) -> dict[int, ItemState]:
    rows = [_item_row(outcome, judged.pairs.get(seq)) for seq, outcome in judged.outcomes.items()]
    parameters = {"job_id": job.id, "rows": json.dumps(rows)}
    return {row.seq: ItemState(row.state) for row in session.execute(_CLOSE_ITEMS, parameters)}


def _item_row(outcome: ItemOutcome, pair: PairDecision | None) -> dict[str, Any]:
    error: ItemError | None = outcome.error
    image = outcome.image
    return {
        "seq": outcome.seq,
        "state": (ItemState.FAILED if error else ItemState.SUCCEEDED).value,
        "error_code": error.code if error else None,
        "error_message": error.message if error else None,
        "decision": pair.decision.value if pair else None,
        "similarity": pair.similarity if pair else None,
        "fmr": pair.fmr if pair else None,
        "width": image.width or None if image else None,
        "height": image.height or None if image else None,
        "sha256": image.sha256.hex() if image else None,
    }


def _enrol(
    session: Session,
    job: Job,
    collection: Collection | None,
    judged: _Judged,
    closed: dict[int, ItemState],
) -> dict[FaceKey, EnrolledFace]:
    if job.operation != Operation.ENROL or collection is None:
        return {}
    succeeded = [judged.outcomes[seq] for seq, s in closed.items() if s is ItemState.SUCCEEDED]
    return enrol_faces(session, job, collection, succeeded, judged.claimed)


def _count(
    session: Session, lease: Lease, job: Job, closed: dict[int, ItemState], judged: _Judged
) -> None:
    cleared = any(isinstance(o.error, WorkerCrashed) for o in judged.outcomes.values())
    session.execute(
        _COUNT_SHARD,
        {
            "job_id": lease.shard.job_id,
            "shard_no": lease.shard.shard_no,
            "closed": len(closed),
            "cleared": cleared,
        },
    )
    counts = Counter(closed.values())
    session.execute(
        text("""
            UPDATE jobs SET open_items = open_items - :closed,
              succeeded_items = succeeded_items + :succeeded, failed_items = failed_items + :failed
            WHERE id = :job_id"""),
        {
            "job_id": job.id,
            "closed": len(closed),
            "succeeded": counts[ItemState.SUCCEEDED],
            "failed": counts[ItemState.FAILED],
        },
    )
