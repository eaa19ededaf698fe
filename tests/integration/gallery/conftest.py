from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from app.database.transactions import queue_transaction
from app.models.collection import Collection
from tests.factories.galleries import make_collection
from tests.factories.tenant_world import TenantWorld


@pytest.fixture
def collection(world: TenantWorld) -> Collection:
    return make_collection(world.tenant_id, threshold=0.4)


@pytest.fixture
def follower(app: Flask) -> Iterator[None]:
    """Somebody keeps a copy of the vectors."""
    del app
    with queue_transaction() as session:
        session.execute(text("INSERT INTO vector_followers (name) VALUES ('copy')"))
    yield
    with queue_transaction() as session:
        session.execute(text("DELETE FROM vector_followers"))
