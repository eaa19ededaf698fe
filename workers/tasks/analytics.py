"""Queue `analytics`: a line of statistics for whoever reads the logs."""

from __future__ import annotations

import structlog
from celery import shared_task
from flask import current_app

from app.domain.names import TaskName
from app.services.upkeep.queue_snapshot import queue_snapshot
from app.services.upkeep.take_turn import take_turn
from workers.chores import turn_interval

_log = structlog.get_logger(__name__)


@shared_task(name=TaskName.JOB_STATISTICS)
def job_statistics() -> None:
    """Log what waits, runs and failed, unless analytics are off or another firing just did."""
    wanted = current_app.config["SETTINGS"].enable_analytics
    if wanted and take_turn(TaskName.JOB_STATISTICS, turn_interval(TaskName.JOB_STATISTICS)):
        _log.info("job_statistics", **queue_snapshot().as_dict())
