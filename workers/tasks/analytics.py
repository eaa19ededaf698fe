"""Queue `analytics`: usage is rolled up, and whoever reads the logs gets a line of statistics."""

from __future__ import annotations

import structlog
from celery import shared_task
from flask import current_app

from app.domain.names import TaskName
from app.services.upkeep.queue_snapshot import queue_snapshot
from app.services.upkeep.roll_up_usage import roll_up_usage
from app.services.upkeep.take_turn import take_turn
from workers.chores import turn_interval

_log = structlog.get_logger(__name__)


@shared_task(name=TaskName.JOB_STATISTICS)
def job_statistics() -> None:
    """Log what waits, runs and failed, unless analytics are off or another firing just did."""
    if _may_run(TaskName.JOB_STATISTICS):
        _log.info("job_statistics", **queue_snapshot().as_dict())


@shared_task(name=TaskName.USAGE_ROLLUP)
def usage_rollup() -> None:
    """Make days of the notes of usage, unless analytics are off or another firing just did."""
    if _may_run(TaskName.USAGE_ROLLUP):
        _log.info("usage_rolled_up", notes=roll_up_usage())


def _may_run(task: TaskName) -> bool:
    wanted: bool = current_app.config["SETTINGS"].enable_analytics
    return wanted and take_turn(task, turn_interval(task))
