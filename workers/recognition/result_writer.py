"""Stores what was recognised while the next batch is computed: one batch behind, never more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Self
from uuid import UUID

import structlog
from flask import Flask

from app.domain.outcomes import ItemOutcome, Provenance
from app.metrics.recognition import batch_stored, record_lost_batch
from app.services.results.job_batch import ShardFate, ShardResults
from app.services.results.store_results import store_results
from workers.recognition.lease_keeper import LeaseKeeper
from workers.recognition.open_work import OpenWork

_log = structlog.get_logger(__name__)

Outcomes = Mapping[OpenWork, list[ItemOutcome]]


class ResultWriter:
    """A thread that commits batches, one transaction a tenant, and lets go of what has ended.

    `closed` counts the items whose results are committed.
    """

    def __init__(self, app: Flask, keeper: LeaseKeeper, made_by: Provenance) -> None:
        self._app = app
        self._made_by = made_by
        self._keeper = keeper
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="result-writer")
        self._pending: Future[int] | None = None
        self.closed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True)

    def put(self, outcomes: Outcomes) -> None:
        """Begin to store a batch, once the one before it is stored; raises what that one met."""
        self.flush()
        if outcomes:
            self._pending = self._pool.submit(copy_context().run, self._store, outcomes)

    def flush(self) -> None:
        """Wait until everything is stored; raises what storing met."""
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self.closed += pending.result()

    def drop(self, work: OpenWork) -> None:
        """Go no further with a shard: it ended, or it is not ours any more."""
        work.live = False
        self._keeper.let_go(work.lease)

    def _store(self, outcomes: Outcomes) -> int:
        by_tenant: dict[UUID, list[OpenWork]] = defaultdict(list)
        for work in outcomes:
            if work.live:
                by_tenant[work.lease.tenant_id].append(work)
        with self._app.app_context(), batch_stored():
            return sum(
                self._store_of_tenant(tenant_id, works, outcomes)
                for tenant_id, works in by_tenant.items()
            )

    def _store_of_tenant(
        self, tenant_id: UUID, works: Sequence[OpenWork], outcomes: Outcomes
    ) -> int:
        results = [ShardResults(work.lease, tuple(outcomes[work])) for work in works]
        fates = store_results(tenant_id, results, self._made_by)
        closed = 0
        for work in works:
            fate = fates[work.lease.shard]
            if fate is ShardFate.LOST:
                self._lose(work)
                continue
            closed += len(outcomes[work])
            work.close(outcomes[work])
            if fate is ShardFate.ENDED:
                self.drop(work)
        return closed

    def _lose(self, work: OpenWork) -> None:
        lease = work.lease
        record_lost_batch()
        detail = f"shard {lease.shard} is no longer held under token {lease.token}"
        _log.warning("lease_lost", shard=str(lease.shard), detail=detail)
        self.drop(work)
