"""Notifications after a commit: hints for those who wait, never needed for correctness."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.database.transactions import after_commit, single_statements
from app.domain.names import NotifyChannel

# In one message to the server, thus one transaction. Notifying queues for a lock at its commit.
_NOTIFY = text("""
SET LOCAL lock_timeout = '50ms';
SELECT pg_notify(channel, payload)
FROM unnest(CAST(:channels AS text[]), CAST(:payloads AS text[])) AS row (channel, payload)
""")

_WORK = (NotifyChannel.DISPATCH, "")
_FINISHED = "finished_jobs"

_log = structlog.get_logger(__name__)


def wake_dispatcher() -> None:
    """Say that there is work; the dispatcher looks by itself each second anyway."""
    _notify([_WORK])


def wake_at_commit(session: Session, finished: Sequence[UUID] = ()) -> None:
    """Wake the dispatcher when `session` commits, and whoever waits for the `finished` jobs.

    However often this is asked of a transaction, one message is sent for it.
    """
    if _FINISHED not in session.info:
        jobs: list[UUID] = []
        session.info[_FINISHED] = jobs
        after_commit(
            session, lambda: _notify([*map(_finished, jobs), (NotifyChannel.DISPATCH, "")])
        )
    session.info[_FINISHED].extend(finished)


def _finished(job_id: UUID) -> tuple[NotifyChannel, str]:
    return NotifyChannel.JOB_FINISHED, str(job_id)


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
