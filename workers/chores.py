"""What beat fires: slow chores only; whatever must be quick is the dispatcher's."""

from __future__ import annotations

import datetime as dt
from typing import Any

from app.config import Settings
from app.domain.names import TaskName

# Each chore also takes its turn in Postgres, so that two beats do not run it twice.
INTERVALS: dict[TaskName, dt.timedelta] = {
    TaskName.RECONCILE: dt.timedelta(seconds=60),
    TaskName.RETENTION: dt.timedelta(hours=1),
    TaskName.ERASE: dt.timedelta(seconds=60),
    TaskName.ENSURE_PARTITIONS: dt.timedelta(days=1),
    TaskName.JOB_STATISTICS: dt.timedelta(minutes=5),
    TaskName.USAGE_ROLLUP: dt.timedelta(minutes=5),
    TaskName.AUDIT_CHAIN: dt.timedelta(seconds=60),
    TaskName.AUDIT_CHECKPOINT: dt.timedelta(days=1),
    TaskName.SEND_MAIL: dt.timedelta(seconds=60),
    TaskName.ANNOUNCE_KEY_ENDS: dt.timedelta(days=1),
}

# A firing is never exact: a turn is free again a little before the next one is due.
TURN_SHARE = 0.9

_BEAT_SCHEMA = "celery_schema"


def turn_interval(task: TaskName) -> dt.timedelta:
    """How long a chore's turn keeps others out."""
    return INTERVALS[task] * TURN_SHARE


def beat_schedule() -> dict[str, dict[str, Any]]:
    """Beat's entries; its scheduler copies them into the database at start."""
    return {
        task.value: {"task": task.value, "schedule": interval}
        for task, interval in INTERVALS.items()
    }


def beat_settings(settings: Settings) -> dict[str, Any]:
    """Where beat keeps its schedule."""
    return {
        "beat_dburi": settings.database_queue_url,
        "beat_schema": _BEAT_SCHEMA,
        # Its tables name their schema; the type of one of their columns does not.
        "beat_engine_options": {"connect_args": {"options": f"-csearch_path={_BEAT_SCHEMA}"}},
        "beat_max_loop_interval": 30,
        "beat_pulse_file": settings.pulse_file,
    }
