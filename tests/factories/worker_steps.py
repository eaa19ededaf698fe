"""What a worker does with a shard, step by step, for tests that play the worker."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import text

from app.database.transactions import owner_transaction
from app.domain.job_request import ItemRequest
from app.domain.lease import Holder, Lease, ShardRef
from app.domain.outcomes import ItemOutcome
from app.domain.states import Operation
from app.services.leases.begin_shard import begin_shard
from app.services.leases.lease_shards import lease_shard
from app.services.results.job_batch import ShardFate, ShardResults
from app.services.results.store_results import store_results
from tests.factories.outcomes import outcome
from tests.factories.tenant_world import TenantWorld

ME = Holder("worker@here/1", 1)
OTHER = Holder("worker@there/2", 1)


def detect_job(world: TenantWorld, items: int = 3) -> ShardRef:
    requests = (ItemRequest(f"i{n}", world.uri(f"{n}.jpg")) for n in range(items))
    return ShardRef(world.submit(Operation.DETECT, *requests), 0)


def leased(shard: ShardRef, holder: Holder = ME, life_s: float = 30) -> Lease:
    lease = lease_shard(shard, holder, life_s)
    assert lease is not None
    return lease


def begun(shard: ShardRef) -> Lease:
    lease = leased(shard)
    assert begin_shard(lease) is not None
    return lease


def store(lease: Lease, *outcomes: ItemOutcome) -> ShardFate:
    """What becomes of a shard when a worker hands over these outcomes."""
    return store_results(lease.tenant_id, [ShardResults(lease, outcomes)])[lease.shard]


def found(*seqs: int) -> tuple[ItemOutcome, ...]:
    return tuple(outcome(seq) for seq in seqs)


def expire(lease: Lease) -> None:
    """Let the lease's time run out."""
    past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    with owner_transaction() as session:
        session.execute(
            text("UPDATE shards SET leased_until = :past WHERE job_id = :job_id"),
            {"past": past, "job_id": lease.shard.job_id},
        )
