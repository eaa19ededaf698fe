"""Parts of storing: whose shards these still are, which items close, and the counters of both."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Session

from app.database.bulk_rows import BulkTable
from app.database.plan_by_key import plan_by_key
from app.domain.item_errors import WorkerCrashed
from app.domain.lease import ShardRef
from app.domain.outcomes import Provenance
from app.domain.states import ItemState, JobState
from app.domain.usage import UsageAmounts, UsageOperation, UsageOutcome
from app.services.jobs import shards
from app.services.results.job_batch import CountedJob, ItemKey, ShardResults
from app.services.results.judge_batch import Judgement

# Everybody takes shards in this order, so that two who want the same never block each other.
_LOCK = text("""
SELECT shards.job_id, shards.shard_no FROM shards
JOIN unnest(:job_ids, CAST(:shard_nos AS integer[]), CAST(:tokens AS bigint[]))
  AS held (job_id, shard_no, token)
  ON held.job_id = shards.job_id AND held.shard_no = shards.shard_no
WHERE lease_token = held.token AND state = 'leased'
ORDER BY shards.job_id, shards.shard_no
FOR UPDATE OF shards
""").bindparams(bindparam("job_ids", type_=ARRAY(PG_UUID)))

_ITEMS = BulkTable(
    "bulk_items",
    {
        "job_id": "uuid",
        "seq": "integer",
        "state": "text",
        "error_code": "text",
        "error_message": "text",
        "decision": "text",
        "similarity": "real",
        "fmr": "double precision",
        "fmr_basis": "text",
        "width": "integer",
        "height": "integer",
        "sha256": "bytea",
        "engine": "text",
        "pipeline": "text",
    },
)

_CLOSE = text("""
UPDATE items SET state = row.state, error_code = row.error_code, error_message = row.error_message,
  decision = row.decision, similarity = row.similarity, fmr = row.fmr,
  fmr_basis = row.fmr_basis, width = row.width,
  height = row.height, image_sha256 = row.sha256, engine = row.engine, pipeline = row.pipeline,
  finished_at = now()
FROM pg_temp.bulk_items AS row
WHERE items.job_id = row.job_id AND items.seq = row.seq AND items.state = 'pending'
RETURNING items.job_id, items.seq, items.state
""")

_LOCK_JOBS = text("""
SELECT id FROM jobs WHERE id = ANY(:job_ids) ORDER BY id FOR UPDATE
""").bindparams(bindparam("job_ids", type_=ARRAY(PG_UUID)))

_COUNT_JOBS = text("""
UPDATE jobs SET open_items = open_items - row.succeeded - row.failed,
  succeeded_items = succeeded_items + row.succeeded, failed_items = failed_items + row.failed,
  errors_by_code = add_counts(errors_by_code, row.errors)
FROM unnest(:job_ids, CAST(:succeeded AS integer[]), CAST(:failed AS integer[]),
  CAST(:errors AS jsonb[])) AS row (job_id, succeeded, failed, errors)
WHERE jobs.id = row.job_id
RETURNING jobs.id, jobs.state, jobs.open_items
""").bindparams(bindparam("job_ids", type_=ARRAY(PG_UUID)))

ClosedItems = dict[ItemKey, ItemState]


def lock_held(session: Session, results: Sequence[ShardResults]) -> list[ShardResults]:
    """Lock the shards that are still held under these leases' tokens; the others are left out.

    From here on the transaction finds every row by its key.
    """
    plan_by_key(session)
    leases = [result.lease for result in results]
    rows = session.execute(
        _LOCK,
        {
            "job_ids": [lease.shard.job_id for lease in leases],
            "shard_nos": [lease.shard.shard_no for lease in leases],
            "tokens": [lease.token for lease in leases],
        },
    )
    held = {ShardRef(row.job_id, row.shard_no) for row in rows}
    return [result for result in results if result.lease.shard in held]


def close_items(session: Session, judged: Judgement, made_by: Provenance | None) -> ClosedItems:
    """Give the items that are still open their results; returns which those were."""
    by = {"engine": made_by.engine, "pipeline": made_by.pipeline} if made_by else {}
    _ITEMS.fill(session, (by | _row(key, judged) for key in judged.outcomes))
    return {(row.job_id, row.seq): ItemState(row.state) for row in session.execute(_CLOSE)}


def _row(key: ItemKey, judged: Judgement) -> dict[str, Any]:
    outcome, pair = judged.outcomes[key], judged.pairs.get(key)
    error, image = outcome.error, outcome.image
    return {
        "job_id": key[0],
        "seq": key[1],
        "state": (ItemState.FAILED if error else ItemState.SUCCEEDED).value,
        "error_code": error.code if error else None,
        "error_message": error.message if error else None,
        "decision": pair.decision.value if pair else None,
        "similarity": pair.similarity if pair else None,
        "fmr": pair.fmr if pair else None,
        "fmr_basis": pair.fmr_basis.value if pair and pair.fmr_basis else None,
        "width": image.width or None if image else None,
        "height": image.height or None if image else None,
        "sha256": image.sha256 if image else None,
    }


def count_shards(
    session: Session, results: Sequence[ShardResults], closed: ClosedItems
) -> set[ShardRef]:
    """Take closed items off their shards, which are locked; returns the shards now done."""
    return shards.count_closed(
        session,
        [
            shards.ShardCount(result.lease.shard, _closed_of(result, closed), _cleared(result))
            for result in results
        ],
    )


def _closed_of(result: ShardResults, closed: ClosedItems) -> int:
    return sum((result.lease.shard.job_id, o.seq) in closed for o in result.outcomes)


def _cleared(result: ShardResults) -> bool:
    """Whether its poison was found: the rest of an isolated shard goes on together."""
    return any(isinstance(outcome.error, WorkerCrashed) for outcome in result.outcomes)


def count_jobs(
    session: Session, results: Sequence[ShardResults], judged: Judgement, closed: ClosedItems
) -> list[CountedJob]:
    """Take closed items off their jobs: the last rows a batch locks, in id order."""
    job_ids = sorted({result.lease.shard.job_id for result in results})
    counts: dict[UUID, Counter[ItemState]] = defaultdict(Counter)
    errors: dict[UUID, Counter[str]] = defaultdict(Counter)
    for key, state in closed.items():
        counts[key[0]][state] += 1
        if error := judged.outcomes[key].error:
            errors[key[0]][error.code] += 1
    if len(job_ids) > 1:
        session.execute(_LOCK_JOBS, {"job_ids": job_ids})
    rows = session.execute(
        _COUNT_JOBS,
        {
            "job_ids": job_ids,
            "succeeded": [counts[job_id][ItemState.SUCCEEDED] for job_id in job_ids],
            "failed": [counts[job_id][ItemState.FAILED] for job_id in job_ids],
            "errors": [json.dumps(errors[job_id]) for job_id in job_ids],
        },
    )
    return [CountedJob(row.id, JobState(row.state), row.open_items) for row in rows]


def used_by(
    judged: Judgement, closed: ClosedItems
) -> Mapping[tuple[UsageOperation, UsageOutcome], UsageAmounts]:
    """What the items of a batch that it closed count in usage."""
    used: dict[tuple[UsageOperation, UsageOutcome], UsageAmounts] = defaultdict(UsageAmounts)
    operations = {batch.job.id: UsageOperation(batch.operation) for batch in judged.batches}
    for key, state in closed.items():
        outcome = judged.outcomes[key]
        amounts = used[operations[key[0]], UsageOutcome(state)]
        amounts.images += 1
        amounts.faces += len(outcome.image.faces) if outcome.image else 0
        amounts.inference_ms += round(outcome.inference_s * 1000)
    return used
