"""What is asked all the time reads what is open, however much has been done before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.database.transactions import owner_transaction, queue_transaction, tenant_transaction
from app.domain.job_filter import JobFilter
from app.domain.states import JobState, Operation, Priority
from app.domain.tenant_limits import Limit
from app.domain.windows import Order, Window
from app.models.job import Job
from app.queries.interactive_lane import open_interactive_items
from app.queries.jobs import list_jobs
from app.queries.queue_depth import (
    leases,
    overdue_jobs,
    processing_jobs,
    waiting_models,
)
from app.queries.ready_shards import ready_shards, room_by_model
from app.queries.tenant_use import WORK, count_use
from app.services.leases.heartbeat import beat, retire
from tests.factories.tenant_world import TenantWorld

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("empty_database")]

ENDED = 4000
WAITING = 2000
FEW = 200

_FILL = text("""
WITH job AS (
  INSERT INTO jobs (id, tenant_id, operation, state, priority, model, total_items, open_items,
    succeeded_items, sealed_at, started_at, finished_at, expires_at)
  SELECT uuid7_floor(now() - number * interval '1 s'), :tenant_id, 'detect',
    CASE WHEN ended THEN 'succeeded' ELSE 'queued' END, 'interactive', :model, 1,
    (NOT ended)::integer, ended::integer, now(), now(), CASE WHEN ended THEN now() END,
    now() + interval '7 days'
  FROM (SELECT number, number <= :ended AS ended FROM generate_series(1, :jobs) AS number) AS row
  RETURNING *
)
INSERT INTO shards (job_id, shard_no, tenant_id, model, priority, state, first_seq, item_count,
  open_items)
SELECT id, 0, tenant_id, model, priority, CASE open_items WHEN 0 THEN 'done' ELSE 'pending' END,
  0, 1, open_items
FROM job
""")

_READ = text("""
SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables
WHERE relname ~ '^(jobs|shards)_'
""")

# One that no worker of other tests serves.
MODEL = "Grown@test"


@pytest.fixture
def world(app: Flask) -> Iterator[TenantWorld]:
    """A tenant with nothing open, beside one with a backlog and more that has ended; a worker."""
    del app
    busy, world = TenantWorld.create(), TenantWorld.create()
    with owner_transaction() as session:
        sizes = {"ended": ENDED, "jobs": ENDED + WAITING}
        session.execute(_FILL, {"tenant_id": busy.tenant_id, "model": MODEL, **sizes})
        session.execute(text("ANALYZE jobs, shards"))
    beat("growth-test", 1, [MODEL])
    yield world
    retire("growth-test")
    with owner_transaction() as session:
        session.execute(text("TRUNCATE jobs, shards"))


def rows_read(session: Session, read: Callable[[], Any]) -> int:
    """How many rows of jobs and shards the server looked at."""
    before = session.execute(_READ).scalar_one()
    read()
    return int(session.execute(_READ).scalar_one() - before)


@pytest.mark.parametrize(
    ("read", "at_most"),
    [
        (room_by_model, FEW),
        (waiting_models, FEW),
        (processing_jobs, WAITING + FEW),
        (lambda session: leases(session, 30), FEW),
        (lambda session: overdue_jobs(session, 500), WAITING + FEW),
        (lambda session: ready_shards(session, MODEL, Priority.INTERACTIVE, per_tenant=8), FEW),
    ],
    ids=["room", "waiting models", "processing", "leases", "overdue", "ready"],
)
def test_the_queue_is_read_without_its_history(
    world: TenantWorld, read: Callable[[Session], Any], at_most: int
) -> None:
    del world

    with queue_transaction() as session:
        assert rows_read(session, lambda: read(session)) <= at_most


def test_a_submission_counts_the_open_items_of_its_tenant_alone(world: TenantWorld) -> None:
    with tenant_transaction(world.tenant_id) as session:
        count = partial(open_interactive_items, session, world.tenant_id, MODEL, at_most=256)

        assert rows_read(session, count) <= FEW


def test_what_a_tenant_has_in_flight_is_counted_without_its_history(world: TenantWorld) -> None:
    with owner_transaction() as session:
        sizes = {"ended": ENDED, "jobs": ENDED + 20}
        session.execute(_FILL, {"tenant_id": world.tenant_id, "model": MODEL, **sizes})
        session.execute(text("ANALYZE jobs"))
    with tenant_transaction(world.tenant_id) as session:
        count = partial(count_use, session, world.tenant_id, WORK)

        assert count()[Limit.JOBS_IN_FLIGHT] == (20, None)
        assert rows_read(session, count) <= FEW


LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "wanted",
    [
        JobFilter(operation=Operation.VERIFY),
        JobFilter(state=[JobState.FAILED]),
        JobFilter(state=[JobState.FAILED, JobState.CANCELED, JobState.EXPIRED]),
        JobFilter(collection_id=UUID(int=1)),
        JobFilter(created_before=LONG_AGO),
        JobFilter(created_after=LONG_AGO.replace(year=2900)),
        JobFilter(created_after=LONG_AGO, created_before=LONG_AGO + dt.timedelta(days=1)),
    ],
    ids=["operation", "state", "several states", "collection", "before", "after", "between"],
)
@pytest.mark.parametrize("order", Order)
def test_rare_jobs_are_found_among_many_others(
    world: TenantWorld, wanted: JobFilter, order: Order
) -> None:
    del world
    with tenant_transaction(_busy()) as session:
        rare = partial(list_jobs, session, _busy(), Window(50, order=order), wanted)

        assert rows_read(session, rare) <= FEW


def _busy() -> UUID:
    with owner_transaction() as session:
        return session.scalars(select(Job.tenant_id).limit(1)).one()
