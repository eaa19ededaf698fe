"""What was done to the log is found, and the first bad event is named."""

from __future__ import annotations

import datetime as dt
import json
from uuid import uuid4

import pytest
from click.testing import Result
from flask import Flask

from app.services.upkeep import verify_chain
from app.services.upkeep.prune_audit import prune_audit
from tests.integration.audit.conftest import Log, chain_all

pytestmark = pytest.mark.stack

OWN = "tenant_id = :tenant"

# Every column but the chain's own and the tenant's, with another value.
CHANGES = {
    "id": "gen_random_uuid()",
    "action": "'nothing.happened'",
    "actor_key_id": "gen_random_uuid()",
    "actor_name": "'somebody else'",
    "actor_address": "'198.51.100.7'",
    "target_type": "'other'",
    "target_id": "gen_random_uuid()",
    "detail": "jsonb_set(detail, '{share}', '0.50')",
    "request_id": "NULL",
    "created_at": "created_at + interval '1 microsecond'",
    "transaction_id": "transaction_id + 1",
}


@pytest.mark.parametrize("column", CHANGES)
def test_a_changed_column_is_found(chained: Log, column: str) -> None:
    chained.query(
        f"UPDATE audit_events SET {column} = {CHANGES[column]} WHERE {OWN} AND chain_no = 3"
    )

    bad = chained.first_bad()

    assert bad is not None
    assert (bad.problem, bad.chain_no) == ("changed", 3)
    assert bad.event_id == chained.rows()[2].id


def test_an_event_given_to_another_tenant_is_missing_here_and_changed_there(chained: Log) -> None:
    other = Log(uuid4())
    chained.query(
        f"UPDATE audit_events SET tenant_id = :other WHERE {OWN} AND chain_no = 1",
        other=other.tenant_id,
    )

    here, there = chained.first_bad(), other.first_bad()

    assert here is not None
    assert (here.problem, here.chain_no) == ("missing", 1)
    assert there is not None
    assert there.problem == "inserted"


@pytest.mark.parametrize("gone", [1, 3, 6])
def test_a_missing_event_is_found(chained: Log, gone: int) -> None:
    chained.query(f"DELETE FROM audit_events WHERE {OWN} AND chain_no = :gone", gone=gone)

    bad = chained.first_bad()

    assert bad is not None
    assert (bad.problem, bad.chain_no) == ("missing", gone)


def test_a_log_that_is_wholly_gone_is_found(chained: Log) -> None:
    chained.query(f"DELETE FROM audit_events WHERE {OWN}")

    bad = chained.first_bad()

    assert bad is not None
    assert (bad.problem, bad.chain_no) == ("missing", 1)


@pytest.mark.parametrize("with_hashes", [True, False])
def test_reordered_events_are_found(chained: Log, *, with_hashes: bool) -> None:
    second, third = chained.rows()[1:3]
    swap = "UPDATE audit_events SET chain_no = :no, chain_hash = :hash WHERE id = :id"
    chained.query(swap, no=1000, hash=b"", id=second.id)
    hashes = (second, third) if with_hashes else (third, second)
    chained.query(swap, no=2, hash=bytes(hashes[0].chain_hash), id=third.id)
    chained.query(swap, no=3, hash=bytes(hashes[1].chain_hash), id=second.id)

    bad = chained.first_bad()

    assert bad is not None
    assert (bad.problem, bad.chain_no, bad.event_id) == ("changed", 2, third.id)


INSERT = (
    "INSERT INTO audit_events (id, tenant_id, action, target_type, chain_no, chain_hash,"
    " created_at) VALUES (gen_random_uuid(), :tenant, 'slipped.in', 't', :no, :hash, now() - :age)"
)
_FRESH, _OLD = dt.timedelta(), dt.timedelta(minutes=11)


@pytest.mark.parametrize("number", [-5, 0, 7])
def test_an_event_inserted_with_a_place_is_found(chained: Log, number: int) -> None:
    chained.query(INSERT, no=number, hash=bytes(32), age=_FRESH)

    bad = chained.first_bad()

    assert bad is not None
    assert (bad.problem, bad.chain_no) == ("inserted", number)


def test_an_event_that_still_has_no_place_after_minutes_is_found(chained: Log) -> None:
    chained.query(INSERT, no=None, hash=None, age=_FRESH)
    assert chained.first_bad() is None

    chained.query(INSERT, no=None, hash=None, age=_OLD)

    bad = chained.first_bad()
    assert bad is not None
    assert bad.problem == "unchained"
    assert bad.event_id is not None


def test_an_event_that_lost_its_place_is_missing(chained: Log) -> None:
    chained.query(
        f"UPDATE audit_events SET chain_no = NULL, chain_hash = NULL WHERE {OWN} AND chain_no = 2"
    )

    bad = chained.first_bad()

    assert bad is not None
    assert (bad.problem, bad.chain_no) == ("missing", 2)


def test_a_chain_without_its_head_is_found(chained: Log) -> None:
    chained.query(f"DELETE FROM audit_chains WHERE {OWN}")

    bad = chained.first_bad()

    assert bad is not None
    assert bad.problem == "inserted"


def test_pages_do_not_hide_what_is_between_them(
    chained: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_chain, "_PAGE", 2)
    assert chained.first_bad() is None

    chained.query(f"DELETE FROM audit_events WHERE {OWN} AND chain_no = 3")

    bad = chained.first_bad()
    assert bad is not None
    assert (bad.problem, bad.chain_no) == ("missing", 3)


def test_what_was_removed_on_purpose_leaves_a_truthful_start(chained: Log) -> None:
    _make_older(chained, through=4)

    assert prune_audit(chained.tenant_id, dt.datetime.now(dt.UTC) - dt.timedelta(days=1)) == 4

    chain_all()
    assert chained.numbers() == [5, 6, 7]
    removal = chained.rows()[-1]
    assert (removal.action, removal.detail["through_no"]) == ("audit.events_removed", 4)
    assert chained.first_bad() is None


def test_a_start_that_no_event_tells_of_is_found(chained: Log) -> None:
    fourth = chained.rows()[3]
    chained.query(f"DELETE FROM audit_events WHERE {OWN} AND chain_no <= 4")
    chained.query(
        f"UPDATE audit_chains SET anchor_no = 4, anchor_hash = :hash WHERE {OWN}",
        hash=bytes(fourth.chain_hash),
    )

    bad = chained.first_bad()

    assert bad is not None
    assert bad.problem == "start"


def _make_older(log: Log, through: int) -> None:
    """As if the first events were of last week, and had been chained then."""
    log.query(f"UPDATE audit_events SET chain_no = NULL, chain_hash = NULL WHERE {OWN}")
    log.query(f"DELETE FROM audit_chains WHERE {OWN}")
    log.query(
        "UPDATE audit_events SET created_at = now() - interval '7 days' WHERE id IN "
        f"(SELECT id FROM audit_events WHERE {OWN} ORDER BY id LIMIT {through})"
    )
    chain_all()


def _verify(app: Flask, *arguments: object) -> Result:
    words = ["audit", "verify", *map(str, arguments)]
    return app.test_cli_runner().invoke(args=words)


def test_the_command_exits_0_when_the_log_is_whole(app: Flask, chained: Log) -> None:
    result = _verify(app, "--tenant", chained.tenant_id)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "whole: 1 tenants, 6 events, 0 checkpoints\n"


@pytest.mark.usefixtures("empty_database")
def test_the_command_names_the_first_bad_event_of_each_tenant_and_exits_1(
    app: Flask, log: Log
) -> None:
    logs = sorted([log, Log(uuid4()), Log(uuid4())], key=lambda each: each.tenant_id)
    for each in logs:
        each.write(4)
    chain_all()
    for each in logs[:2]:
        each.query(f"UPDATE audit_events SET action = 'x' WHERE {OWN} AND chain_no >= 2")

    result = _verify(app)
    as_json = json.loads(_verify(app, "--json").stdout)

    assert result.exit_code == 1
    named = [line.split("\t")[:4] for line in result.stdout.splitlines()]
    assert named == [
        [str(each.tenant_id), "changed", "2", str(each.rows()[1].id)] for each in logs[:2]
    ]
    assert [bad["event_id"] for bad in as_json["bad"]] == [row[3] for row in named]
    assert (as_json["whole"], as_json["tenants"]) == (False, 3)


def test_the_command_chains_by_hand(app: Flask, log: Log) -> None:
    log.write(2)

    result = app.test_cli_runner().invoke(args=["audit", "chain"])

    assert result.exit_code == 0
    assert "events chained" in result.stdout
