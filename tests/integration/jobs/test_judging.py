"""What a batch amounts to is said beside it: what was recognised stays as it was."""

from __future__ import annotations

import pytest

from app.database.transactions import tenant_transaction
from app.domain.item_errors import LowQuality
from app.domain.job_options import JobOptions
from app.domain.job_request import ItemRequest
from app.domain.lease import ShardRef
from app.domain.states import Operation
from app.services.results.job_batch import ShardResults, load_batches
from app.services.results.judge_batch import judge_batches
from tests.factories.outcomes import outcome
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import begun

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked")]


def test_judging_a_batch_leaves_what_was_recognised(world: TenantWorld) -> None:
    job_id = world.submit(
        Operation.ENROL,
        ItemRequest("a", world.uri("a.jpg"), subject="someone"),
        collection_id=world.collection(),
        options=JobOptions(min_quality=0.99),
    )
    recognised = outcome(0)
    lease = begun(ShardRef(job_id, 0))
    with tenant_transaction(world.tenant_id) as session:
        (batch,) = load_batches(session, [ShardResults(lease, (recognised,))])
        judged = judge_batches(session, [batch])

    assert isinstance(judged.outcomes[job_id, 0].error, LowQuality)
    assert batch.outcomes[0] is recognised
