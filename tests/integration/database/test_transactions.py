"""What a transaction sees and may do, and which of them share one commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from psycopg2.errors import ReadOnlySqlTransaction
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.database.base import db
from app.database.transactions import (
    read_transaction,
    separate_transaction,
    tenant_transaction,
)
from app.models.subject import Subject
from tests.factories.tenant_world import TenantWorld

pytestmark = pytest.mark.stack

Opener = Callable[[UUID], AbstractContextManager[Session]]


@pytest.fixture
def world(app: Flask) -> TenantWorld:
    del app
    return TenantWorld.create()


def names(session: Session) -> set[str]:
    return set(session.scalars(text("SELECT name FROM collections")))


def add_collection(session: Session, world: TenantWorld, name: str = "added") -> None:
    session.execute(
        text(
            "INSERT INTO collections (id, tenant_id, name, model, dimensions, threshold) "
            "VALUES (gen_random_uuid(), :tenant, :name, 'SFace@x', 128, 0.5)"
        ),
        {"tenant": world.tenant_id, "name": name},
    )


@pytest.mark.parametrize("open_transaction", [read_transaction, separate_transaction])
def test_each_sees_one_tenants_rows_only(world: TenantWorld, open_transaction: Opener) -> None:
    world.collection(name="ours")
    TenantWorld.create().collection(name="theirs")

    with open_transaction(world.tenant_id) as session:
        assert names(session) == {"ours"}


def test_a_write_in_a_transaction_for_reading_is_refused_by_the_server(world: TenantWorld) -> None:
    with pytest.raises(DBAPIError) as refused, read_transaction(world.tenant_id) as session:
        add_collection(session, world)

    assert isinstance(refused.value.orig, ReadOnlySqlTransaction)


def test_a_use_case_that_writes_is_refused_within_a_transaction_for_reading(
    world: TenantWorld,
) -> None:
    with (
        pytest.raises(DBAPIError) as refused,
        read_transaction(world.tenant_id),
        tenant_transaction(world.tenant_id) as session,
    ):
        add_collection(session, world)

    assert isinstance(refused.value.orig, ReadOnlySqlTransaction)


def test_a_connection_that_was_read_with_may_be_written_with_again(world: TenantWorld) -> None:
    db.engine.dispose()
    with read_transaction(world.tenant_id) as session:
        backend = session.scalar(text("SELECT pg_backend_pid()"))

    with tenant_transaction(world.tenant_id) as session:
        add_collection(session, world)
        assert session.scalar(text("SELECT pg_backend_pid()")) == backend


@pytest.mark.parametrize("outer", [tenant_transaction, read_transaction])
def test_reading_joins_an_outer_transaction_of_the_same_tenant(
    world: TenantWorld, outer: Opener
) -> None:
    with outer(world.tenant_id) as session, read_transaction(world.tenant_id) as inner:
        assert inner is session


def test_a_write_still_works_after_reading_within_its_transaction(world: TenantWorld) -> None:
    with tenant_transaction(world.tenant_id) as session:
        with read_transaction(world.tenant_id) as inner:
            names(inner)
        add_collection(session, world)

    with read_transaction(world.tenant_id) as session:
        assert names(session) == {"added"}


def test_reading_joins_no_transaction_of_another_tenant(world: TenantWorld) -> None:
    world.collection(name="ours")
    stranger = TenantWorld.create()

    with tenant_transaction(stranger.tenant_id), read_transaction(world.tenant_id) as session:
        assert names(session) == {"ours"}


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """What the app's connections send."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    del app
    event.listen(db.engine, "before_cursor_execute", note)
    yield sent
    event.remove(db.engine, "before_cursor_execute", note)


def test_reading_costs_no_more_statements_than_writing(
    world: TenantWorld, statements: list[str]
) -> None:
    def sent_by(open_transaction: Opener) -> int:
        statements.clear()
        with open_transaction(world.tenant_id) as session:
            session.execute(select(Subject)).all()
        return len(statements)

    assert sent_by(read_transaction) == sent_by(tenant_transaction)


def test_what_a_separate_transaction_wrote_stays_when_the_outer_one_fails(
    world: TenantWorld,
) -> None:
    with tenant_transaction(world.tenant_id) as outer:
        add_collection(outer, world, "undone")
        with separate_transaction(world.tenant_id) as session:
            add_collection(session, world, "kept")
        outer.rollback()

    with read_transaction(world.tenant_id) as session:
        assert names(session) == {"kept"}


def test_after_a_separate_transaction_the_outer_one_is_joined_again(world: TenantWorld) -> None:
    with tenant_transaction(world.tenant_id) as outer:
        with (
            separate_transaction(world.tenant_id) as separate,
            tenant_transaction(world.tenant_id) as inner,
        ):
            assert inner is separate
        with tenant_transaction(world.tenant_id) as inner:
            assert inner is outer


def test_a_separate_transaction_begins_when_outer_ones_hold_every_connection(
    world: TenantWorld,
) -> None:
    pool: Any = db.engine.pool
    with ExitStack() as held:
        for _ in range(pool.size() + pool._max_overflow):
            held.enter_context(db.engine.connect())
        with separate_transaction(world.tenant_id) as session:
            assert names(session) == set()
