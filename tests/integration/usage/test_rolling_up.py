"""Notes become days once each, whoever dies or comes along meanwhile."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from flask import Flask, current_app
from sqlalchemy import event, text
from sqlalchemy.exc import ProgrammingError

from app.adapters.s3 import ObjectStore
from app.config import Settings
from app.database.base import db
from app.database.transactions import owner_transaction, queue_transaction, tenant_transaction
from app.domain.identifiers import INSTALLATION
from app.domain.names import TaskName
from app.services.jobs.erase_tenant import erase_tenant
from app.services.upkeep import roll_up_usage as module
from app.services.upkeep.purge_expired import purge_expired
from app.services.upkeep.roll_up_usage import roll_up_batch, roll_up_usage
from tests.factories.tenant_world import TenantWorld
from tests.factories.usage import add_note, days, images_by_outcome, notes, rolled_up
from tests.support.processes import wait_until
from workers.tasks.analytics import usage_rollup

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("nobody_works")]

LONG_AGO = "2020-02-29T12:00:00Z"


@pytest.fixture
def noted(world: TenantWorld) -> TenantWorld:
    """Ten notes of an image each."""
    for _ in range(10):
        add_note(world.tenant_id, LONG_AGO)
    return world


@contextmanager
def dying_before_its_commit() -> Iterator[None]:
    def die(_connection: object) -> None:
        raise KeyboardInterrupt

    event.listen(db.engines["queue"], "commit", die)
    try:
        yield
    finally:
        event.remove(db.engines["queue"], "commit", die)


def test_a_crash_before_the_commit_loses_nothing_and_counts_nothing_twice(
    noted: TenantWorld,
) -> None:
    with dying_before_its_commit(), pytest.raises(KeyboardInterrupt):
        roll_up_usage()
    assert (notes(noted.tenant_id), days(noted.tenant_id)) == (10, {})

    roll_up_usage()
    roll_up_usage()

    assert (notes(noted.tenant_id), days(noted.tenant_id)) == (0, {"2020-02-29": 10})


def test_many_who_roll_up_at_once_count_each_note_once(app: Flask, noted: TenantWorld) -> None:
    together = threading.Barrier(4)

    def roll_up(_number: int) -> None:
        with app.app_context():
            together.wait()
            while notes(noted.tenant_id):
                roll_up_batch(1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(roll_up, range(4)))

    assert days(noted.tenant_id) == {"2020-02-29": 10}


def test_while_somebody_else_rolls_up_nobody_waits(noted: TenantWorld) -> None:
    with queue_transaction() as other:
        assert other.execute(module._LOCK).scalar_one()
        assert roll_up_usage() == 0

    assert notes(noted.tenant_id) == 10


def test_all_notes_are_rolled_up_in_batches(
    noted: TenantWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BATCH", 3)

    assert roll_up_usage() >= 10

    assert days(noted.tenant_id) == {"2020-02-29": 10}


def test_what_comes_late_is_added_to_its_older_day(noted: TenantWorld) -> None:
    roll_up_usage()
    add_note(noted.tenant_id, LONG_AGO, images=5)
    add_note(noted.tenant_id, "2020-03-01T12:00:00Z", images=7)

    roll_up_usage()

    assert days(noted.tenant_id) == {"2020-02-29": 15, "2020-03-01": 7}


def test_days_are_those_of_utc(world: TenantWorld) -> None:
    add_note(world.tenant_id, "2020-03-01T00:30:00+02:00")
    add_note(world.tenant_id, "2020-02-29T23:30:00-02:00")
    with queue_transaction() as session:
        session.execute(text("SET LOCAL timezone = 'Asia/Tokyo'"))
        session.execute(module._ROLL_UP, {"batch": 100_000})

    assert days(world.tenant_id) == {"2020-02-29": 1, "2020-03-01": 1}


def test_a_batch_reads_no_more_than_itself_however_much_waits(world: TenantWorld) -> None:
    roll_up_usage()
    with owner_transaction() as session:
        fill = """
INSERT INTO usage_entries (tenant_id, noted_at, operation, outcome, images)
SELECT :tenant, now(), 'detect', 'succeeded', 1 FROM generate_series(1, 20000)"""
        session.execute(text(fill), {"tenant": world.tenant_id})
    with queue_transaction() as session:
        before = session.execute(_READ).scalar_one()
        module._roll_up(session, 100)
        read = session.execute(_READ).scalar_one() - before

    assert read <= 500
    assert roll_up_usage() >= 20000 - 100


_READ = text("""
SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables
WHERE relname = 'usage_entries'
""")


def switch(app: Flask, monkeypatch: pytest.MonkeyPatch, *, on: bool) -> None:
    settings: Settings = app.config["SETTINGS"]
    changed = settings.model_copy(update={"enable_analytics": on})
    monkeypatch.setitem(app.config, "SETTINGS", changed)


def fire() -> None:
    """Beat's chore, whose turn it is."""
    with owner_transaction() as session:
        turn = {"chore": TaskName.USAGE_ROLLUP.value}
        session.execute(text("DELETE FROM chore_turns WHERE chore = :chore"), turn)
    usage_rollup()


def test_switched_off_nothing_is_rolled_up_and_on_again_it_is_counted_once(
    app: Flask, noted: TenantWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch(app, monkeypatch, on=False)
    fire()
    assert (notes(noted.tenant_id), days(noted.tenant_id)) == (10, {})

    switch(app, monkeypatch, on=True)
    fire()
    usage_rollup()  # not its turn
    assert days(noted.tenant_id) == {"2020-02-29": 10}


def test_a_firing_waits_for_its_turn(noted: TenantWorld) -> None:
    fire()
    add_note(noted.tenant_id, LONG_AGO)

    usage_rollup()

    assert notes(noted.tenant_id) == 1


def purge() -> None:
    purge_expired(ObjectStore.from_settings(current_app.config["SETTINGS"]))


def test_switched_off_notes_are_kept_as_long_as_jobs_are(
    app: Flask, noted: TenantWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BATCH", 3)
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    add_note(noted.tenant_id, yesterday.isoformat())
    purge()
    assert notes(noted.tenant_id) == 11  # what is to be rolled up is never removed

    switch(app, monkeypatch, on=False)
    purge()
    assert notes(noted.tenant_id) == 1

    switch(app, monkeypatch, on=True)
    roll_up_usage()
    assert days(noted.tenant_id) == {yesterday.date().isoformat(): 1}


def test_the_usage_of_an_erased_tenant_stays_in_the_installations_sum_without_its_id(
    noted: TenantWorld,
) -> None:
    other = TenantWorld.create()
    add_note(other.tenant_id, LONG_AGO)
    add_note(noted.tenant_id, LONG_AGO, operation="webhook", images=0, webhooks=2)
    roll_up_usage()
    add_note(noted.tenant_id, LONG_AGO)  # not rolled up yet
    before = rolled_up(INSTALLATION)

    erase_tenant(noted.tenant_id)
    roll_up_usage()

    assert (rolled_up(noted.tenant_id), notes(noted.tenant_id)) == ({}, 0)
    assert difference(before) == {("detect", "succeeded"): 11, ("webhook", "succeeded"): 2}
    assert images_by_outcome(other.tenant_id) == {"succeeded": 1}


def difference(before: dict[tuple[str, str], tuple[int, ...]]) -> dict[tuple[str, str], int]:
    """By how much what is left of erased tenants has grown."""
    return {
        key: sum(amounts) - sum(before.get(key, ()))
        for key, amounts in rolled_up(INSTALLATION).items()
        if amounts != before.get(key)
    }


def test_an_erasure_waits_for_a_batch_that_is_being_rolled_up(
    app: Flask, noted: TenantWorld
) -> None:
    before = rolled_up(INSTALLATION)

    def erase() -> None:
        with app.app_context():
            erase_tenant(noted.tenant_id)

    with ThreadPoolExecutor(1) as pool:
        with queue_transaction() as session:
            session.execute(module._LOCK)
            session.execute(module._ROLL_UP, {"batch": 100_000})
            erased = pool.submit(erase)
            wait_until(_somebody_waits, what="the erasure's wait for the batch")
        erased.result()

    assert rolled_up(noted.tenant_id) == {}
    assert difference(before)["detect", "succeeded"] >= 10


def _somebody_waits() -> bool:
    with owner_transaction() as session:
        waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        return bool(session.execute(text(waits)).scalar_one())


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM usage_entries",
        "UPDATE usage_entries SET images = 0",
        "UPDATE usage_days SET images = 0",
        "INSERT INTO usage_days (tenant_id) VALUES (current_setting('app.tenant_id')::uuid)",
        "DELETE FROM usage_days",
    ],
)
def test_what_was_counted_cannot_be_changed_by_the_role_of_the_api(
    world: TenantWorld, statement: str
) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        tenant_transaction(world.tenant_id) as session,
    ):
        session.execute(text(statement))


def test_a_tenant_sees_its_own_notes_and_days_alone(noted: TenantWorld) -> None:
    roll_up_usage()
    add_note(noted.tenant_id, LONG_AGO)
    stranger = TenantWorld.create()

    for table in ("usage_entries", "usage_days"):
        assert len(noted.query(f"SELECT 1 FROM {table}")) == 1
        assert stranger.query(f"SELECT 1 FROM {table}") == []
