"""Use case: an item that killed its worker twice, alone, is given up and kept for an operator."""

from __future__ import annotations

from sqlalchemy import text

from app.database.transactions import tenant_transaction
from app.domain.identifiers import new_id
from app.domain.item_errors import WorkerCrashed
from app.domain.lease import Lease
from app.domain.outcomes import ItemOutcome
from app.services.results.job_batch import ShardFate, ShardResults
from app.services.results.store_results import store_results

_DEAD_LETTER = text("""
INSERT INTO dead_letters (id, tenant_id, job_id, item_seq, image_uri, code, reason)
SELECT :id, tenant_id, job_id, seq, image_uri, :code, :reason FROM items
WHERE job_id = :job_id AND seq = :seq AND state = 'failed'
ON CONFLICT (job_id, item_seq) DO NOTHING
""")


def bury_item(lease: Lease, seq: int) -> ShardFate:
    """Fail the item with `worker_crashed` and write its dead letter, in one transaction.

    Returns what becomes of the shard; nothing is written when it is `LOST`.
    """
    error = WorkerCrashed("the worker was lost each time that this image was alone in it")
    results = ShardResults(lease, (ItemOutcome(seq, error=error),))
    with tenant_transaction(lease.tenant_id) as session:
        fate = store_results(lease.tenant_id, [results])[lease.shard]
        if fate is not ShardFate.LOST:
            session.execute(
                _DEAD_LETTER,
                {
                    "id": new_id(),
                    "job_id": lease.shard.job_id,
                    "seq": seq,
                    "code": error.code,
                    "reason": error.message,
                },
            )
    return fate
