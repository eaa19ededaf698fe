"""A server that went away costs no request its answer, and looking costs no round trip."""

from __future__ import annotations

import os
import socket
from typing import Any

import psycopg2
import pytest
from flask import Flask
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from app import create_app
from app.config import Settings
from app.database import pool
from app.database.base import db

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
def _empty_pool(app: Flask) -> None:
    del app
    db.engine.dispose()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Connections on which the server was asked whether it is there."""
    connections: list[Any] = []
    monkeypatch.setattr(pool, "_ask", connections.append)
    return connections


def test_connections_that_the_server_has_closed_are_replaced_before_they_are_used() -> None:
    with db.engine.connect() as one, db.engine.connect() as other:
        closed = {_backend(one), _backend(other)}
    for backend in closed:
        _end(backend)

    with db.engine.connect() as one, db.engine.connect() as other:
        assert not {_backend(one), _backend(other)} & closed


def test_a_connection_that_was_just_used_is_used_again_without_a_question(asked: list[Any]) -> None:
    backends = set()
    for _ in range(3):
        with db.engine.connect() as connection:
            backends.add(_backend(connection))

    assert len(backends) == 1
    assert asked == []


def test_after_a_pause_the_server_is_asked(
    asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    db.engine.connect().close()
    monkeypatch.setattr(pool, "_TRUSTED_S", -1.0)

    db.engine.connect().close()

    assert len(asked) == 1


def test_a_server_that_gives_no_answer_after_a_pause_is_connected_to_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with db.engine.connect() as connection:
        unanswering = _backend(connection)
    monkeypatch.setattr(pool, "_TRUSTED_S", -1.0)
    monkeypatch.setattr(pool, "_ask", _time_out)

    with db.engine.connect() as connection:
        assert _backend(connection) != unanswering


def _time_out(_connection: Any) -> None:
    raise psycopg2.OperationalError("could not receive data from server: Connection timed out")


def _backend(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def _end(backend: int) -> None:
    dsn = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    other = psycopg2.connect(dsn)
    with other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", (backend,))
        assert cursor.fetchone() == (True,)
    other.close()


def test_a_process_that_stands_still_in_a_transaction_gives_up_its_locks() -> None:
    engine = create_engine(db.engine.url)
    pool.bound_idle_transactions(engine, 0.2)
    lock = text("SELECT pg_advisory_xact_lock(4711)")

    with engine.connect() as still, db.engine.connect() as other:
        still.execute(lock)
        other.execute(text("SET LOCAL lock_timeout = '10s'"))
        other.execute(lock)
        with pytest.raises(DBAPIError):
            still.execute(text("SELECT 1"))


@pytest.mark.parametrize("bind", [None, "queue"])
def test_such_a_transaction_lasts_no_longer_than_a_lease(app: Flask, bind: str | None) -> None:
    with db.engines[bind].connect() as connection:
        limit = connection.execute(
            text("SELECT setting FROM pg_settings WHERE name = :name"),
            {"name": "idle_in_transaction_session_timeout"},
        ).scalar_one()

    assert float(limit) == app.config["SETTINGS"].lease_seconds * 1000


ROLES = pytest.mark.parametrize("bind", [None, "queue", "owner"])


@ROLES
def test_a_server_whose_host_has_gone_is_given_up_within_half_a_minute(bind: str | None) -> None:
    with db.engines[bind].connect() as connection:
        driver: Any = connection.connection.driver_connection
        with socket.socket(fileno=os.dup(driver.fileno())) as wire:
            unanswered_ms = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            silent, again, times = (
                wire.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            )

    assert 0 < unanswered_ms <= 30_000
    assert silent + again * times <= 30


@ROLES
def test_an_error_of_the_database_tells_no_parameter(bind: str | None) -> None:
    with db.engines[bind].connect() as connection, pytest.raises(DBAPIError) as refused:
        connection.execute(text("SELECT 1 / (length(:name) - 5)"), {"name": "Alice"})

    assert "Alice" not in str(refused.value)


@ROLES
def test_each_role_has_as_many_connections_as_are_configured(
    settings: Settings, bind: str | None
) -> None:
    app = create_app(settings.model_copy(update={"database_pool_size": 3}))
    with app.app_context():
        pooled: Any = db.engines[bind].pool

    assert pooled.size() == 3
