"""Use case: a worker's batch becomes results, once, whoever else may think it holds the shards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from app.database.notify import wake_at_commit
from app.database.transactions import after_commit, tenant_transaction
from app.domain.lease import ShardRef
from app.domain.outcomes import Provenance
from app.metrics.recognition import record_items
from app.services.jobs.close_shards import fail_without_collection
from app.services.results.close_items import (
    ClosedItems,
    close_items,
    count_jobs,
    count_shards,
    lock_held,
    used_by,
)
from app.services.results.enrol_faces import enrol_faces
from app.services.results.job_batch import JobBatch, ShardFate, ShardResults, load_batches
from app.services.results.judge_batch import Judgement, judge_batches
from app.services.results.settle_jobs import settle_jobs
from app.services.results.write_detections import write_detections
from app.services.tenancy.note_usage import note_usage


def store_results(
    tenant_id: UUID, results: Sequence[ShardResults], made_by: Provenance | None = None
) -> dict[ShardRef, ShardFate]:
    """Commit a batch of one tenant's shards in one transaction; returns what becomes of each.

    In this order: lock the shards by their fencing tokens; close the items that are still open;
    insert what belongs to those alone; last, the counters of shards and jobs. A shard that is
    another worker's now is `LOST`, and nothing of it is written.
    """
    with tenant_transaction(tenant_id) as session:
        held = lock_held(session, results)
        batches = load_batches(session, held)
        homeless = [batch for batch in batches if batch.homeless]
        at_home = [batch for batch in batches if not batch.homeless]
        ended = _store(session, tenant_id, _of(at_home, held), at_home, made_by)
        if ended:
            wake_at_commit(session)
    for batch in homeless:
        with tenant_transaction(tenant_id) as session:
            fail_without_collection(session, batch.job.id)
    ended |= {result.lease.shard for result in _of(homeless, held)}
    return _fates(results, held, ended)


def _of(batches: Sequence[JobBatch], results: Sequence[ShardResults]) -> list[ShardResults]:
    job_ids = {batch.job.id for batch in batches}
    return [result for result in results if result.lease.shard.job_id in job_ids]


def _store(
    session: Session,
    tenant_id: UUID,
    results: Sequence[ShardResults],
    batches: Sequence[JobBatch],
    made_by: Provenance | None,
) -> set[ShardRef]:
    """Write what was recognised; returns the shards of which nothing is left to do."""
    if not results:
        return set()
    judged = judge_batches(session, batches)
    closed = close_items(session, judged, made_by)
    after_commit(session, partial(_record, judged, closed))
    enrolled = enrol_faces(session, tenant_id, judged, closed)
    write_detections(session, tenant_id, judged, closed, enrolled)
    note_usage(session, tenant_id, used_by(judged, closed))
    done = count_shards(session, results, closed)
    counted = count_jobs(session, results, judged, closed)
    return done | settle_jobs(session, [result.lease for result in results], counted)


def _record(judged: Judgement, closed: ClosedItems) -> None:
    """Count the items of a batch that was committed."""
    counts: Counter[tuple[str, str | None]] = Counter()
    for batch in judged.batches:
        for seq, outcome in batch.outcomes.items():
            if (batch.job.id, seq) in closed:
                counts[batch.operation.value, outcome.error.code if outcome.error else None] += 1
    for (operation, code), count in counts.items():
        record_items(operation, code, count)


def _fates(
    results: Sequence[ShardResults], held: Sequence[ShardResults], ended: set[ShardRef]
) -> dict[ShardRef, ShardFate]:
    fates = {result.lease.shard: ShardFate.LOST for result in results}
    for result in held:
        shard = result.lease.shard
        fates[shard] = ShardFate.ENDED if shard in ended else ShardFate.GOES_ON
    return fates
