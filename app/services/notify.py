"""Notifications after a commit: hints for those who wait, never needed for correctness."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.domain.names import NotifyChannel
from app.models.session import single_statements

# In one message to the server, thus one transaction. Notifying queues for a lock at its commit.
_NOTIFY = text("""
SET LOCAL lock_timeout = '50ms';
SELECT pg_notify(channel, payload)
FROM unnest(CAST(:channels AS text[]), CAST(:payloads AS text[])) AS row (channel, payload)
""")

_log = structlog.get_logger(__name__)


def wake_dispatcher() -> None:
    """Say that there is work; the dispatcher looks by itself each second anyway."""
    _notify([(NotifyChannel.DISPATCH, "")])


def tell_jobs_finished(job_ids: Sequence[UUID]) -> None:
    """Wake whoever waits for these jobs, and the dispatcher for their webhooks."""
    finished = [(NotifyChannel.JOB_FINISHED, str(job_id)) for job_id in job_ids]
    _notify([*finished, (NotifyChannel.DISPATCH, "")])


def _notify(messages: Sequence[tuple[NotifyChannel, str]]) -> None:
    """NOTIFY in a transaction of its own; a failure or a delay of 50 ms is let go."""
    try:
        with single_statements() as connection:
            connection.execute(
                _NOTIFY,
                {
                    "channels": [channel.value for channel, _ in messages],
                    "payloads": [payload for _, payload in messages],
                },
            )
    except SQLAlchemyError as error:
        _log.warning("notification_lost", error=str(error))
