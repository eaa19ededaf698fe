"""Queue `default`: remove what has been kept long enough."""

from __future__ import annotations

from dataclasses import asdict

import structlog
from celery import shared_task
from flask import current_app

from app.adapters.s3 import ObjectStore
from app.domain.names import TaskName
from app.services.gallery.prune_changes import prune_changes
from app.services.upkeep.purge_expired import purge_expired
from app.services.upkeep.take_turn import take_turn
from workers.chores import turn_interval

_log = structlog.get_logger(__name__)


@shared_task(name=TaskName.RETENTION)
def retention() -> None:
    """Purge in small batches, unless another beat's firing just did."""
    if take_turn(TaskName.RETENTION, turn_interval(TaskName.RETENTION)):
        store = ObjectStore.from_settings(current_app.config["SETTINGS"])
        _log.info("purged", **asdict(purge_expired(store)), vector_changes=prune_changes())
