"""What every way of searching a gallery is held to; each test runs once for each strategy."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from flask import Flask

from app.database.transactions import queue_transaction
from app.models.collection import Collection
from app.queries import copied_vectors
from app.queries.vector_tail import horizon
from app.services.gallery.follow_vectors import (
    KeptCopies,
    follow,
    keep_copies,
    kept_copies,
    leave,
)
from app.services.gallery.strategies.exact_sql import ExactSql
from app.services.gallery.strategies.exact_streamed import ExactStreamed
from app.services.gallery.strategies.strategy import Strategy
from tests.factories.crowd import cached
from tests.factories.galleries import make_collection
from tests.factories.tenant_world import TenantWorld
from tests.support.processes import wait_until

STRATEGIES = ["exact", "exact-cached", "exact-streamed"]


@pytest.fixture
def collection(world: TenantWorld) -> Collection:
    return make_collection(world.tenant_id, threshold=0.4)


@pytest.fixture(params=STRATEGIES)
def strategy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Strategy:
    """Each of them, with blocks so small that a test's gallery fills several."""
    monkeypatch.setattr(copied_vectors, "ROWS_A_BLOCK", 64)
    if request.param == "exact-cached":
        return cached(request.getfixturevalue("kept"))
    made: Strategy = ExactSql() if request.param == "exact" else ExactStreamed()
    return made


@pytest.fixture
def kept(app: Flask) -> Iterator[KeptCopies]:
    """Memory for copies, as a worker's parent makes it, and its row among the followers."""
    del app
    keep_copies(64, f"test-{uuid4()}")
    follow()
    made = kept_copies()
    assert made is not None
    wait_until(lambda: _settled(made), seconds=30, what="transactions older than the follower")
    yield made
    leave()
    keep_copies(0, "")


def _settled(made: KeptCopies) -> bool:
    with queue_transaction() as session:
        return horizon(session) >= made.memory.epoch
