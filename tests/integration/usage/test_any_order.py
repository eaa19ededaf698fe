"""Whatever happens in whatever order, usage is what a model counts."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.database.transactions import owner_transaction
from app.domain.actor import SYSTEM
from app.domain.item_errors import ImageCorrupt
from app.domain.lease import Lease
from app.domain.outcomes import ItemOutcome
from app.services.jobs.cancel_job import cancel_job
from app.services.jobs.delete_job import delete_job
from app.services.upkeep.purge_expired import _purge_jobs
from app.services.upkeep.roll_up_usage import roll_up_batch, roll_up_usage
from tests.factories.outcomes import outcome
from tests.factories.tenant_world import TenantWorld
from tests.factories.usage import images_by_outcome
from tests.factories.worker_steps import begun, detect_job, store

pytestmark = pytest.mark.stack

_ITEMS = 3
_MONTH = dt.timedelta(days=30)


@dataclass
class Jobs:
    """The jobs of one tenant, and what the model has counted of them."""

    world: TenantWorld
    open: list[tuple[Lease, list[int]]] = field(default_factory=list)
    ended: list[UUID] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)

    def submit(self) -> None:
        self.open.append((begun(detect_job(self.world, _ITEMS)), list(range(_ITEMS))))

    def close(self, *, fails: bool) -> None:
        """One item, twice: the second time nothing happens."""
        if not self.open:
            return
        lease, left = self.open[0]
        seq = left.pop()
        closed = ItemOutcome(seq, error=ImageCorrupt("broken")) if fails else outcome(seq)
        for _ in range(2):
            store(lease, closed)
        self.counted["failed" if fails else "succeeded"] += 1
        if not left:
            self._end()

    def cancel(self) -> None:
        """Its worker finds out with the next item, which it has recognised already."""
        if not self.open:
            return
        lease, left = self.open[0]
        cancel_job(self.world.tenant_id, lease.shard.job_id, SYSTEM)
        store(lease, outcome(left.pop()))
        self.counted["succeeded"] += 1
        self.counted["canceled"] += len(left)
        self._end()

    def delete(self) -> None:
        if self.ended:
            delete_job(self.world.tenant_id, self.ended.pop(), SYSTEM)

    def purge(self) -> None:
        if self.ended:
            with owner_transaction() as session:
                session.execute(
                    text("UPDATE jobs SET finished_at = now() - interval '31 days' WHERE id = :id"),
                    {"id": self.ended.pop()},
                )
        _purge_jobs(_MONTH)

    def _end(self) -> None:
        lease, _ = self.open.pop(0)
        self.ended.append(lease.shard.job_id)


_STEPS = {
    "submit": Jobs.submit,
    "succeed": lambda jobs: jobs.close(fails=False),
    "fail": lambda jobs: jobs.close(fails=True),
    "cancel": Jobs.cancel,
    "delete": Jobs.delete,
    "purge": Jobs.purge,
    "roll up one": lambda _jobs: roll_up_batch(1),
    "roll up": lambda _jobs: roll_up_usage(),
}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.sampled_from(sorted(_STEPS)), min_size=5, max_size=30))
def test_usage_is_what_happened(world: TenantWorld, steps: list[str]) -> None:
    jobs = Jobs(TenantWorld.create())
    del world  # its model is that of these jobs too

    for step in ["submit", *steps]:
        _STEPS[step](jobs)
    roll_up_usage()

    assert images_by_outcome(jobs.world.tenant_id) == +jobs.counted
