"""Use cases of a worker: a source of images is away, is back; its shards wait meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import text

from app.database.transactions import queue_transaction
from app.domain.lease import Lease
from app.domain.source_pause import SourcePause, pause_seconds
from app.queries.source_pauses import source_pauses
from app.services.jobs import shards

_BEGIN = text("""
INSERT INTO source_pauses (bucket, last_error) VALUES (:bucket, :reason)
ON CONFLICT (bucket) DO NOTHING
""")

# A failure counts once: not again for those who asked before, or while the pause for it ran.
_IS_NEWS = text("""
SELECT failures, until < clock_timestamp() - :tried AS is_news
FROM source_pauses WHERE bucket = :bucket FOR UPDATE
""")

_PROLONG = text("""
UPDATE source_pauses SET failures = :failures, until = clock_timestamp() + :pause,
  last_error = :reason
WHERE bucket = :bucket
""")

_END = text("DELETE FROM source_pauses WHERE bucket = :bucket RETURNING bucket")

_FORGET = text("DELETE FROM source_pauses WHERE until < clock_timestamp() - interval '1 hour'")


def known_pauses() -> dict[str, SourcePause]:
    """The sources that did not answer when they were last asked, by bucket."""
    with queue_transaction() as session:
        return {pause.bucket: pause for pause in source_pauses(session)}


def pause_source(bucket: str, reason: str, tried_s: float) -> None:
    """Let nobody ask a bucket for a while, which doubles from failure to failure.

    `tried_s` is for how long the caller has asked in vain: a pause that began or ran meanwhile is
    for the same failure. `reason` names no object: operators read it.
    """
    with queue_transaction() as session:
        session.execute(_FORGET)
        session.execute(_BEGIN, {"bucket": bucket, "reason": reason})
        tried = dt.timedelta(seconds=tried_s)
        row = session.execute(_IS_NEWS, {"bucket": bucket, "tried": tried}).one()
        if row.is_news:
            failures = row.failures + 1
            pause = dt.timedelta(seconds=pause_seconds(failures))
            session.execute(
                _PROLONG,
                {"bucket": bucket, "failures": failures, "pause": pause, "reason": reason},
            )


def resume_source(bucket: str) -> bool:
    """Let everybody ask a bucket again, which has answered; returns whether it was paused."""
    with queue_transaction() as session:
        return session.execute(_END, {"bucket": bucket}).first() is not None


def hand_back_waiting(waiting: Mapping[Lease, str]) -> None:
    """Return shards whose rest waits for a bucket, by lease: nobody takes them during its pause."""
    with queue_transaction() as session:
        for lease in sorted(waiting, key=lambda lease: (lease.shard.job_id, lease.shard.shard_no)):
            shards.hand_back(session, lease, waits_for=waiting[lease])
