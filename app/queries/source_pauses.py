"""Sources of images that are away, over all tenants: read by the queue role."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.domain.source_pause import LONGEST_PAUSE_S, SourcePause

# Whoever waits asks again soon after a pause: one that is long over is nobody's any more.
_PAUSES = text("""
SELECT bucket, extract(epoch FROM until - clock_timestamp()) AS left_s,
  extract(epoch FROM clock_timestamp() - since) AS away_s, failures, last_error
FROM source_pauses WHERE until > clock_timestamp() - make_interval(secs => :memory)
ORDER BY bucket
""")


def source_pauses(session: Session) -> list[SourcePause]:
    """The sources that did not answer when they were last asked."""
    return [
        SourcePause(row.bucket, float(row.left_s), float(row.away_s), row.failures, row.last_error)
        for row in session.execute(_PAUSES, {"memory": 2 * LONGEST_PAUSE_S})
    ]
