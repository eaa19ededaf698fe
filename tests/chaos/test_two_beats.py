"""Chores run once however many beats fire them."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import text

from app.database.transactions import owner_transaction, queue_transaction
from app.domain.names import TaskName
from tests.chaos.conftest import Battlefield
from tests.support.processes import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.slow]

BEATS = ("beat", "second-beat")
SENDING = f"Sending due task {TaskName.RECONCILE}"


def test_two_beats_do_not_run_a_chore_twice(field: Battlefield) -> None:
    with owner_transaction() as session:
        session.execute(text("TRUNCATE chore_turns"))
    field.start("default", *BEATS)
    for beat in BEATS:
        at_work = partial(field.logged, beat, "Schedule changed")
        wait_until(at_work, what=f"{beat} at work")

    _make_due_each_second(TaskName.RECONCILE)

    for beat in BEATS:
        wait_until(partial(_fired_twice, field, beat), what=f"{beat} firing twice")
    fired = sum(_times(field, beat, SENDING) for beat in BEATS)
    done = f'"event": "Task {TaskName.RECONCILE}'
    wait_until(lambda: _times(field, "default", done) >= 2 * fired, what="every firing handled")
    assert _times(field, "default", '"event": "reconciled"') == 1


def _fired_twice(field: Battlefield, beat: str) -> bool:
    return _times(field, beat, SENDING) >= 2


def _times(field: Battlefield, name: str, words: str) -> int:
    return field.programs.log(name).read_text(errors="replace").count(words)


def _make_due_each_second(task: TaskName) -> None:
    """As an operator does it: in the schedule, which is in the database."""
    with queue_transaction() as session:
        session.execute(
            text("""
                UPDATE celery_schema.celery_intervalschedule SET every = 1, period = 'seconds'
                WHERE id = (SELECT schedule_id FROM celery_schema.celery_periodictask
                            WHERE name = :task)"""),
            {"task": task.value},
        )
        session.execute(
            text("UPDATE celery_schema.celery_periodictaskchanged SET last_update = now()")
        )
