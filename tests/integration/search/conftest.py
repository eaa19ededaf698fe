"""What every way of searching a gallery is held to; each test runs once for each strategy."""

from __future__ import annotations

import pytest
from flask import Flask

from app.models.collection import Collection
from app.queries import copied_vectors
from app.services.gallery.strategies.exact_sql import ExactSql
from app.services.gallery.strategies.exact_streamed import ExactStreamed
from app.services.gallery.strategies.strategy import Strategy
from tests.factories.galleries import make_collection
from tests.factories.tenant_world import TenantWorld

STRATEGIES = {"exact": ExactSql, "exact-streamed": ExactStreamed}


@pytest.fixture
def world(app: Flask) -> TenantWorld:
    """A fresh tenant."""
    del app
    return TenantWorld.create()


@pytest.fixture
def collection(world: TenantWorld) -> Collection:
    return make_collection(world.tenant_id, threshold=0.4)


@pytest.fixture(params=sorted(STRATEGIES))
def strategy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Strategy:
    """Each of them, with blocks so small that a test's gallery fills several."""
    monkeypatch.setattr(copied_vectors, "ROWS_A_BLOCK", 64)
    made: Strategy = STRATEGIES[request.param]()
    assert made.index == request.param
    return made
