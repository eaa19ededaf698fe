"""Use case: the months ahead have partitions before their first job."""

from __future__ import annotations

from sqlalchemy import text

from app.database.transactions import queue_transaction


def ensure_partitions() -> int:
    """Make the missing monthly partitions of job tables; returns how many were new."""
    with queue_transaction() as session:
        return int(session.execute(text("SELECT ensure_job_partitions()")).scalar_one())
