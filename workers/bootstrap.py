"""Join Celery, the Flask application and the tasks: every task runs in an application context."""

from __future__ import annotations

import importlib
from typing import Any

import structlog
from celery import Celery, Task
from flask import Flask

TASK_MODULES = (
    "workers.tasks.recognise",
    "workers.tasks.webhooks",
    "workers.tasks.reconcile",
    "workers.tasks.retention",
    "workers.tasks.erase",
    "workers.tasks.partitions",
    "workers.tasks.analytics",
    "workers.tasks.audit",
    "workers.tasks.mail",
)


def bootstrap(celery: Celery, flask_app: Flask) -> None:
    """Register tasks, chores and worker signals on `celery`."""
    from workers import lifecycle
    from workers.chores import beat_schedule, beat_settings
    from workers.soft_shutdown import SoftWorker

    class ContextTask(Task):  # type: ignore[misc]  # Celery has no types
        """Runs in the application's context, with its id on every log line."""

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            with (
                flask_app.app_context(),
                structlog.contextvars.bound_contextvars(task=self.name, task_id=self.request.id),
            ):
                return super().__call__(*args, **kwargs)

    celery.Task = ContextTask
    celery.Worker = celery.subclass_with_self(SoftWorker, name="Worker", reverse="Worker")
    celery.set_default()
    for module in TASK_MODULES:
        importlib.import_module(module)
    celery.conf.beat_schedule = beat_schedule()
    celery.conf.update(beat_settings(flask_app.config["SETTINGS"]))
    lifecycle.connect(flask_app)
