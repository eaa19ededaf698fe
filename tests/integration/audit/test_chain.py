"""Events get their places afterwards: none skipped, none twice, whoever writes, chains or dies."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from flask import Flask
from sqlalchemy import text

from app.database.base import db
from app.database.transactions import owner_transaction, tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.identifiers import new_id
from app.services.tenancy.record_audit import record_audit
from app.services.upkeep.chain_audit import chain_batch, chain_events
from scripts.stack.state import ROOT
from tests.integration.audit.conftest import Log, chain_all

pytestmark = pytest.mark.stack


def test_an_event_has_no_place_until_the_chainer_comes(log: Log) -> None:
    log.write(2)
    assert log.numbers() == [None, None]

    chain_all()

    assert log.numbers() == [1, 2]
    assert log.first_bad() is None


def test_each_tenant_has_a_chain_of_its_own(log: Log) -> None:
    other = Log(new_id())
    for _ in range(2):
        log.write()
        other.write()
    chain_all()

    assert log.numbers() == other.numbers() == [1, 2]


def test_chaining_again_changes_nothing(chained: Log) -> None:
    before = chained.rows()

    chain_events()

    assert chained.rows() == before


def test_what_commits_later_than_a_younger_event_is_not_skipped(log: Log) -> None:
    with tenant_transaction(log.tenant_id) as session:
        record_audit(session, log.tenant_id, SYSTEM, "first.begun", "test", None)
        # Another connection, whose event is complete while this one's is not.
        with db.engine.connect() as other, other.begin():
            other.execute(text(f"SET LOCAL app.tenant_id = '{log.tenant_id}'"))
            other.execute(
                text(
                    "INSERT INTO audit_events (id, tenant_id, action, target_type)"
                    " VALUES (:id, :tenant, 'second.begun', 'test')"
                ),
                {"id": new_id(), "tenant": log.tenant_id},
            )
        chain_events()
        assert log.numbers() == [None]

    chain_all()

    assert [(row.chain_no, row.action) for row in log.rows()] == [
        (1, "first.begun"),
        (2, "second.begun"),
    ]
    assert log.first_bad() is None


def test_the_order_is_that_of_transactions_whatever_the_clocks_of_hosts_say(log: Log) -> None:
    log.write(1, action="first.done")
    log.write(1, action="second.done")
    # A host whose clock was ahead gave the first one a high id.
    log.query(
        "UPDATE audit_events SET id = 'ffffffff-0000-7000-8000-000000000000'::uuid "
        "WHERE tenant_id = :tenant AND action = 'first.done'"
    )
    chain_all()

    assert [row.action for row in log.rows()] == ["first.done", "second.done"]


def test_events_of_the_server_that_a_backup_came_from_are_chained(log: Log) -> None:
    log.write()
    log.query(
        "UPDATE audit_events SET transaction_id = transaction_id + 1000000000 "
        "WHERE tenant_id = :tenant"
    )

    chain_all()

    assert log.numbers() == [1]


def test_two_chainers_at_once_give_each_event_one_place(app: Flask, log: Log) -> None:
    logs = [log, Log(new_id())]
    for each in logs:
        each.write(60)
    start, failures = threading.Barrier(2), []

    def chainer() -> None:
        with app.app_context():
            start.wait(10)
            try:
                for _ in range(60):
                    chain_batch(3)
            except Exception as error:  # noqa: BLE001 - told below, whatever it is
                failures.append(error)

    threads = [threading.Thread(target=chainer) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    chain_all()

    assert failures == []
    for each in logs:
        assert each.numbers() == list(range(1, 61))
        assert each.first_bad() is None


# A chainer that dies in its second batch, at a line of which the test names the function.
_DYING = """
import os, signal, sys
from app import create_app
from app.services.upkeep import chain_audit

calls = 0
real = getattr(chain_audit, sys.argv[1])

def dying(*arguments):
    global calls
    calls += 1
    if calls == 2 and sys.argv[2] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = real(*arguments)
    if calls == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return result

setattr(chain_audit, sys.argv[1], dying)
with create_app().app_context():
    while chain_audit.chain_batch(4):
        pass
"""


@pytest.mark.usefixtures("empty_database")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["chain_batch", "unchained_events", "_place", "_move"])
def test_a_chainer_that_is_killed_leaves_whole_batches(
    log: Log, stack_environment: dict[str, str], step: str, when: str
) -> None:
    log.write(11)

    died = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", _DYING, step, when],
        cwd=ROOT,
        env=stack_environment,
        check=False,
        capture_output=True,
    )

    assert died.returncode == -9, died.stderr
    whole = 8 if (step, when) == ("chain_batch", "after") else 4
    assert log.numbers() == [*range(1, whole + 1), *[None] * (11 - whole)]
    chain_all()
    assert log.numbers() == list(range(1, 12))
    assert log.first_bad() is None


def test_a_request_does_not_wait_for_the_chainer(log: Log) -> None:
    log.write()
    with owner_transaction() as session:
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": 0x_FACE_0003})
        session.execute(
            text("UPDATE audit_events SET action = action WHERE tenant_id = :tenant"),
            {"tenant": log.tenant_id},
        )
        log.write()

    assert len(log.numbers()) == 2
