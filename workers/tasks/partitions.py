"""Queue `default`: partitions for the months ahead."""

from __future__ import annotations

import structlog
from celery import shared_task

from app.domain.names import TaskName
from app.services.upkeep.ensure_partitions import ensure_partitions
from app.services.upkeep.take_turn import take_turn
from workers.chores import turn_interval

_log = structlog.get_logger(__name__)


@shared_task(name=TaskName.ENSURE_PARTITIONS)
def make_partitions() -> None:
    """Make missing partitions, unless another beat's firing just did."""
    if take_turn(TaskName.ENSURE_PARTITIONS, turn_interval(TaskName.ENSURE_PARTITIONS)):
        _log.info("partitions_ensured", new=ensure_partitions())
