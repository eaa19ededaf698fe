"""Queue `recognition`: one hint that a shard waits."""

from __future__ import annotations

from functools import cache
from uuid import UUID

import structlog
from celery import shared_task
from flask import Flask, current_app

from app.adapters.s3 import ObjectStore
from app.domain.lease import ShardRef
from app.domain.names import TaskName
from app.metrics.recognition import stage_sums
from workers.recognition import shutdown
from workers.recognition.lease_keeper import LeaseKeeper
from workers.recognition.loaded_pipeline import loaded_pipeline
from workers.recognition.shard_task import ShardTask

_log = structlog.get_logger(__name__)

# Celery's hard limit: no lease is renewed past it, so that a task that hangs loses its shard.
HARD_LIMIT_S = 180


@shared_task(name=TaskName.RECOGNISE, time_limit=HARD_LIMIT_S)
def recognise(job_id: str, shard_no: int) -> None:
    """Process a shard, if it still waits: a message that comes twice finds nothing to do."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - threads need the real object; Flask's documented way
    shard = ShardRef(UUID(job_id), shard_no)
    life = app.config["SETTINGS"].lease_seconds
    pipeline = loaded_pipeline()
    with (
        shutdown.at_work(),
        structlog.contextvars.bound_contextvars(job_id=job_id, shard_no=shard_no),
        LeaseKeeper(app, life, HARD_LIMIT_S) as keeper,
    ):
        if shutdown.requested():
            return
        stage_sums()  # what a task before this one left
        closed = ShardTask(app, pipeline, _object_store(), keeper).run(shard)
        stages_ms = {stage: round(took_s * 1000, 1) for stage, took_s in stage_sums().items()}
        _log.info("shard_task_done", items_closed=closed, stages_ms=stages_ms)


@cache
def _object_store() -> ObjectStore:
    return ObjectStore.from_settings(current_app.config["SETTINGS"], attempts=1)
