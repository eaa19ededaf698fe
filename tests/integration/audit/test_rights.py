"""Who may do what to the log: the database sees to it, whatever the code does."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from app.database.transactions import queue_transaction, tenant_transaction
from app.domain.identifiers import new_id
from tests.integration.audit.conftest import Log

pytestmark = pytest.mark.stack

DENIED = "permission denied"
INSERT = (
    "INSERT INTO audit_events (id, tenant_id, action, target_type{}) "
    "VALUES (:id, :tenant, 'a', 't'{})"
)


def as_app(log: Log, statement: str) -> None:
    with tenant_transaction(log.tenant_id) as session:
        session.execute(text(statement), {"id": new_id(), "tenant": log.tenant_id})


def as_queue(log: Log, statement: str) -> None:
    with queue_transaction() as session:
        session.execute(text(statement), {"id": new_id(), "tenant": log.tenant_id})


def test_the_app_writes_events_of_its_tenant_only(log: Log) -> None:
    as_app(log, INSERT.format("", ""))

    with pytest.raises(ProgrammingError, match="row-level security"):
        as_app(log, INSERT.format("", "").replace(":tenant", f"'{new_id()}'"))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("chain_no", "1"),
        ("chain_hash", "'\\x00'"),
        ("transaction_id", "1"),
        ("created_at", "now() - interval '1 day'"),
    ],
)
def test_the_app_gives_an_event_neither_place_nor_time(log: Log, column: str, value: str) -> None:
    with pytest.raises(ProgrammingError, match=DENIED):
        as_app(log, INSERT.format(f", {column}", f", {value}"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_events SET action = 'x'",
        "UPDATE audit_events SET chain_no = 1, chain_hash = '\\x00'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "UPDATE audit_chains SET head_no = 0",
        "DELETE FROM audit_chains",
        "DELETE FROM audit_checkpoints",
        "UPDATE audit_checkpoints SET exported_at = NULL",
    ],
)
def test_the_app_changes_and_removes_nothing(chained: Log, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=DENIED):
        as_app(chained, statement)


@pytest.mark.parametrize(
    "statement",
    [
        INSERT.format("", ""),
        "UPDATE audit_events SET action = 'x' WHERE tenant_id = :tenant",
        "UPDATE audit_events SET created_at = now() WHERE tenant_id = :tenant",
        "DELETE FROM audit_events WHERE tenant_id = :tenant",
        "TRUNCATE audit_events",
        "DELETE FROM audit_chains WHERE tenant_id = :tenant",
        "UPDATE audit_chains SET anchor_no = 1 WHERE tenant_id = :tenant",
        "DELETE FROM audit_checkpoints WHERE tenant_id = :tenant",
        "UPDATE audit_checkpoints SET chain_hash = '' WHERE tenant_id = :tenant",
    ],
)
def test_the_queue_changes_nothing_but_places(chained: Log, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=DENIED):
        as_queue(chained, statement)


def test_the_queue_gives_an_event_its_place_once(chained: Log) -> None:
    with pytest.raises(ProgrammingError, match="has its place in the chain"):
        as_queue(
            chained,
            "UPDATE audit_events SET chain_no = chain_no + 100 WHERE tenant_id = :tenant",
        )


def test_two_events_cannot_have_one_place(chained: Log) -> None:
    with pytest.raises(IntegrityError, match="uq_audit_events_chain"):
        chained.query(
            "UPDATE audit_events SET chain_no = 1 WHERE tenant_id = :tenant AND chain_no = 2"
        )
