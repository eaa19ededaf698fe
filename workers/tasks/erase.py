"""Queue `default`: remove in the background what clients have erased."""

from __future__ import annotations

import structlog
from celery import shared_task

from app.domain.names import TaskName
from app.services.jobs.delete_job import remove_deleted_jobs
from app.services.jobs.scrub_results import scrub_results
from app.services.upkeep.take_turn import take_turn
from workers.chores import turn_interval

_log = structlog.get_logger(__name__)


@shared_task(name=TaskName.ERASE)
def erase() -> None:
    """Go on erasing in small batches, unless another beat's firing just did."""
    if take_turn(TaskName.ERASE, turn_interval(TaskName.ERASE)):
        _log.info("erased", jobs=remove_deleted_jobs(), scrubbed=scrub_results())
