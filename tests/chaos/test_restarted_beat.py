"""However often beat is started, each chore gets its turn: the last one stands in PostgreSQL."""

from __future__ import annotations

import datetime as dt
from functools import partial

import pytest
from sqlalchemy import text

from app.database.transactions import owner_transaction, queue_transaction
from app.domain.names import TaskName
from tests.chaos.conftest import Battlefield
from tests.support.processes import wait_until
from workers.chores import INTERVALS

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _no_turn_was_taken(field: Battlefield) -> None:
    """As in a new database; beat's own tables are there once one has run."""
    if field.programs.alive("beat"):
        field.programs.kill("beat")
    field.programs.log("beat").unlink(missing_ok=True)
    with owner_transaction() as session:
        session.execute(text("TRUNCATE chore_turns"))
    with queue_transaction() as session:
        if session.scalar(text("SELECT to_regclass('celery_schema.celery_periodictask')")):
            session.execute(text("UPDATE celery_schema.celery_periodictask SET last_run_at = NULL"))


def test_a_chore_that_never_had_its_turn_is_fired_as_beat_starts(field: Battlefield) -> None:
    field.start("beat")

    for chore in INTERVALS:
        wait_until(partial(fired, field, chore), what=f"{chore} fired")


def test_what_is_overdue_is_fired_as_beat_starts_and_what_is_not_waits(field: Battlefield) -> None:
    for chore, interval in INTERVALS.items():
        had_turn(chore, interval / 2)
    had_turn(TaskName.RETENTION, dt.timedelta(hours=5))
    soon = INTERVALS[TaskName.RECONCILE] - dt.timedelta(seconds=5)
    had_turn(TaskName.RECONCILE, soon)

    field.start("beat")

    # The later of the two: with it, all that was due at the start has been fired.
    for chore in (TaskName.RETENTION, TaskName.RECONCILE):
        wait_until(partial(fired, field, chore), what=f"{chore} fired")
    assert not fired(field, TaskName.ENSURE_PARTITIONS)
    assert not fired(field, TaskName.AUDIT_CHECKPOINT)


def test_a_chore_falls_due_though_beat_is_killed_again_and_again(field: Battlefield) -> None:
    for chore, interval in INTERVALS.items():
        had_turn(chore, interval / 2)
    chore = TaskName.RETENTION
    had_turn(chore, INTERVALS[chore] - dt.timedelta(seconds=10))

    for life in range(1, 4):
        field.start("beat")
        wait_until(lambda life=life: lives(field) == life, what="a beat at work")
        field.programs.kill("beat")
    field.start("beat")

    wait_until(partial(fired, field, chore), what=f"{chore} fired")


def had_turn(chore: TaskName, ago: dt.timedelta) -> None:
    with owner_transaction() as session:
        session.execute(
            text("""
                INSERT INTO chore_turns (chore, taken_at) VALUES (:chore, now() - :ago)
                ON CONFLICT (chore) DO UPDATE SET taken_at = excluded.taken_at"""),
            {"chore": chore.value, "ago": ago},
        )


def fired(field: Battlefield, chore: TaskName) -> bool:
    return f"Sending due task {chore} " in logged(field)


def lives(field: Battlefield) -> int:
    """How many beats have begun to look at the schedule."""
    return logged(field).count("beat: Starting...")


def logged(field: Battlefield) -> str:
    return field.programs.log("beat").read_text(errors="replace")
