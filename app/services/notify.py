"""Notifications after a commit: hints for those who wait, never needed for correctness."""

from __future__ import annotations

from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.domain.names import NotifyChannel
from app.models.database import db

_log = structlog.get_logger(__name__)


def wake_dispatcher() -> None:
    """Say that there is work; the dispatcher looks by itself each second anyway."""
    _notify({NotifyChannel.DISPATCH: ""})


def tell_job_finished(job_id: UUID) -> None:
    """Wake whoever waits for the job, and the dispatcher for its webhooks."""
    _notify({NotifyChannel.JOB_FINISHED: str(job_id), NotifyChannel.DISPATCH: ""})


def _notify(payloads: dict[NotifyChannel, str]) -> None:
    """NOTIFY in a transaction of its own; a failure or a delay of 50 ms is let go."""
    try:
        with db.engine.begin() as connection:
            connection.execute(text("SET LOCAL statement_timeout = '50ms'"))
            for channel, payload in payloads.items():
                connection.execute(
                    text("SELECT pg_notify(:channel, :payload)"),
                    {"channel": channel.value, "payload": payload},
                )
    except SQLAlchemyError as error:
        _log.warning("notification_lost", error=str(error))
