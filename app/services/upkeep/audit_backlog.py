"""Use case: how much of the audit log has no place in a chain yet."""

from __future__ import annotations

import datetime as dt

from app.database.transactions import queue_transaction
from app.queries.audit_chain import waiting_events


def audit_backlog() -> tuple[int, dt.datetime | None]:
    """How many events wait for their places, and the time of the oldest."""
    with queue_transaction() as session:
        return waiting_events(session)
