"""Slow statements leave a line with their shape, by whichever way they reach the database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.config import Settings
from app.database import slow_statements
from app.database.bulk_rows import BulkTable
from app.database.listening import listening
from app.database.slow_statements import log_slow_statements
from app.database.transactions import (
    owner_transaction,
    queue_transaction,
    separate_transaction,
    tenant_transaction,
)
from app.domain.names import NotifyChannel

pytestmark = pytest.mark.stack

SECRET = "ada.lovelace@example.org"
SLOW = text("SELECT pg_sleep(0.05), :who, 'ada.lovelace@example.org', ARRAY[0.25, 0.75]")


@pytest.fixture(autouse=True)
def _limit(app: Flask, settings: Settings) -> Iterator[None]:
    del app
    log_slow_statements(0.04)
    yield
    log_slow_statements(settings.slow_statement_seconds)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[dict[str, Any]]]:
    """The lines of statements that sleep: another may be slow on a busy machine."""

    def read() -> list[dict[str, Any]]:
        said = [r.msg for r in caplog.records if r.name == slow_statements.__name__]
        found = [line for line in said if isinstance(line, dict)]
        return [line for line in found if "pg_sleep" in line["statement"]]

    return read


def sleep_in_the_app() -> None:
    with tenant_transaction(uuid4()) as session:
        session.execute(SLOW, {"who": SECRET})


@pytest.mark.parametrize(
    ("transaction", "role"),
    [
        (lambda: tenant_transaction(uuid4()), "facequeue_app"),
        (lambda: separate_transaction(uuid4()), "facequeue_app"),
        (queue_transaction, "facequeue_queue"),
        (owner_transaction, "facequeue_owner"),
    ],
)
def test_each_role_s_slow_statement_leaves_its_shape_and_time(
    lines: Callable[[], list[dict[str, Any]]], transaction: Callable[[], Any], role: str
) -> None:
    with transaction() as session:
        session.execute(SLOW, {"who": SECRET})

    (line,) = lines()
    assert line["statement"] == "SELECT pg_sleep(?), ?, …, ARRAY[?, …]"
    assert line["role"] == role
    assert line["duration_ms"] >= 50
    assert (line["failed"], line["left_out"]) == (False, 0)


def test_a_listener_s_statements_are_timed_too(
    settings: Settings, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    with listening(settings.database_queue_url, NotifyChannel.DISPATCH) as listener:
        listener.ask("SELECT pg_sleep(0.05), %s", SECRET)

    assert [line["statement"] for line in lines()] == ["SELECT pg_sleep(?), ?"]


def test_copied_rows_are_timed_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    log_slow_statements(1e-9)
    with tenant_transaction(uuid4()) as session:
        BulkTable("slow_rows", {"name": "text"}).fill(session, [{"name": SECRET}])

    assert "COPY pg_temp.slow_rows FROM STDIN (FORMAT binary)" in caplog.text
    assert SECRET not in caplog.text


def test_a_statement_that_is_ended_for_its_length_is_slow(
    lines: Callable[[], list[dict[str, Any]]],
) -> None:
    def sleep_too_long() -> None:
        with queue_transaction() as session:
            session.execute(text("SET LOCAL statement_timeout = '50ms'"))
            session.execute(text("SELECT pg_sleep(60)"))

    with pytest.raises(OperationalError):
        sleep_too_long()

    (line,) = lines()
    assert line["failed"] is True


def test_a_shape_has_one_line_in_a_while_which_counts_what_was_left_out(
    lines: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        sleep_in_the_app()
    assert len(lines()) == 1

    monkeypatch.setattr(slow_statements, "EACH_SHAPE_S", 0.0)
    sleep_in_the_app()

    assert [line["left_out"] for line in lines()] == [0, 2]


def test_what_is_not_slow_leaves_none(caplog: pytest.LogCaptureFixture) -> None:
    log_slow_statements(30)
    with caplog.at_level(logging.DEBUG):
        sleep_in_the_app()

    assert "slow_statement" not in caplog.text
