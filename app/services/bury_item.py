"""Use case: an item that killed its worker twice, alone, is given up and kept for an operator."""

from __future__ import annotations

from sqlalchemy import text

from app.domain.errors import WorkerCrashed
from app.domain.identifiers import new_id
from app.domain.lease import POISON_DEATHS, Lease
from app.domain.outcomes import ItemOutcome
from app.models.session import tenant_transaction
from app.services.store_results import ShardResults, store_results

_DEAD_LETTER = text("""
INSERT INTO dead_letters (id, tenant_id, job_id, item_seq, image_uri, code, reason)
SELECT :id, tenant_id, job_id, seq, image_uri, :code, :reason FROM items
WHERE job_id = :job_id AND seq = :seq AND state = 'failed'
ON CONFLICT (job_id, item_seq) DO NOTHING
""")


def bury_item(lease: Lease, seq: int) -> bool:
    """Fail the item with `worker_crashed` and write its dead letter, in one transaction.

    Returns whether the job goes on. Raises LeaseLost as `store_results` does.
    """
    error = WorkerCrashed(f"the image ended {POISON_DEATHS} worker processes while alone in them")
    with tenant_transaction(lease.tenant_id) as session:
        goes_on = store_results(ShardResults(lease, (ItemOutcome(seq, error=error),)))
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
    return goes_on
