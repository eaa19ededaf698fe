"""What a tenant's usage costs to read, however much others have."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.database.transactions import owner_transaction, tenant_transaction
from app.domain.usage import UsageGroup, UsageQuestion
from app.queries.usage import read_usage, waiting_since
from tests.factories.tenant_world import TenantWorld

pytestmark = pytest.mark.stack

_FILL_DAYS = text("""
INSERT INTO usage_days (tenant_id, day, operation, outcome, images)
SELECT CASE WHEN number = 1 THEN :tenant ELSE gen_random_uuid() END,
  DATE '2026-03-01' + day, 'detect', 'succeeded', 1
FROM generate_series(1, 300) AS number, generate_series(0, 30) AS day
""")
_FILL_NOTES = text("""
INSERT INTO usage_entries (tenant_id, noted_at, operation, outcome, images)
SELECT CASE WHEN number = 10000 THEN :tenant ELSE gen_random_uuid() END,
  TIMESTAMPTZ '2026-03-01T12:00:00Z', 'detect', 'succeeded', 1
FROM generate_series(1, 10000) AS number
""")
_READ = text("""
SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables
WHERE relname IN ('usage_days', 'usage_entries')
""")
MARCH = UsageQuestion(dt.date(2026, 3, 1), dt.date(2026, 3, 31), frozenset({UsageGroup.DAY}))


@pytest.fixture
def world(app: Flask) -> Iterator[TenantWorld]:
    """A tenant with a month among hundreds of others, and a note among thousands."""
    del app
    world = TenantWorld.create()
    with owner_transaction() as session:
        for fill in (_FILL_DAYS, _FILL_NOTES):
            session.execute(fill, {"tenant": world.tenant_id})
        session.execute(text("ANALYZE usage_days, usage_entries"))
    yield world
    with owner_transaction() as session:
        session.execute(text("TRUNCATE usage_days, usage_entries"))


def read(session: Session) -> int:
    return int(session.execute(_READ).scalar_one())


def test_a_tenant_reads_its_own_rows_alone(world: TenantWorld) -> None:
    with tenant_transaction(world.tenant_id) as session:
        before = read(session)
        rows = read_usage(session, world.tenant_id, MARCH, limit=50)
        since = waiting_since(session, world.tenant_id)
        cost = read(session) - before

    assert (len(rows), since) == (31, dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC))
    assert cost <= 40
