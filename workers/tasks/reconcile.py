"""Queue `default`: put right what a crash left, and end what is overdue."""

from __future__ import annotations

import structlog
from celery import shared_task

from app.domain.names import TaskName
from app.services.jobs.reconcile_jobs import reconcile_jobs
from app.services.upkeep.take_turn import take_turn
from workers.chores import turn_interval

_log = structlog.get_logger(__name__)


@shared_task(name=TaskName.RECONCILE)
def reconcile() -> None:
    """End overdue jobs, unless another beat's firing just did."""
    if take_turn(TaskName.RECONCILE, turn_interval(TaskName.RECONCILE)):
        _log.info("reconciled", jobs_ended=reconcile_jobs())
