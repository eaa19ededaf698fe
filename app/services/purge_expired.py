"""Use case: what has been kept long enough is removed, in small batches."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

import structlog
from flask import current_app
from sqlalchemy import text

from app.adapters.s3 import ObjectStore
from app.config import Settings
from app.domain.errors import StorageUnavailable
from app.domain.storage import ObjectLocation
from app.models.session import queue_transaction

_log = structlog.get_logger(__name__)

_JOBS_A_BATCH = 20
_ROWS_A_BATCH = 500

_OLD_JOBS = text("""
SELECT id FROM jobs WHERE finished_at < now() - :age ORDER BY finished_at LIMIT :batch
""")

_FORGET_OLD_SECRETS = text("""
UPDATE idempotency_keys SET body = NULL WHERE secret_until < now() AND expires_at >= now()
""")

_DELETIONS = {
    "idempotency keys": (
        "DELETE FROM idempotency_keys WHERE (tenant_id, key) IN "
        "(SELECT tenant_id, key FROM idempotency_keys WHERE expires_at < now() LIMIT :batch)"
    ),
    "webhook deliveries": (
        "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries "
        "WHERE created_at < now() - interval '30 days' "
        "AND state <> 'pending' LIMIT :batch)"
    ),
}


@dataclass
class Purged:
    """How many of each kind were removed."""

    months: int = 0
    jobs: int = 0
    images: int = 0
    records: int = 0


def purge_expired(store: ObjectStore) -> Purged:
    """Remove finished jobs, uploads, deliveries and idempotency records past their time."""
    settings: Settings = current_app.config["SETTINGS"]
    purged = Purged()
    kept_for = dt.timedelta(days=settings.retention_days_jobs)
    purged.months = _drop_months(kept_for)
    purged.jobs = _purge_jobs(kept_for)
    purged.images = _purge_images(store, dt.timedelta(days=settings.retention_days_images))
    purged.records = sum(_purge_records(statement) for statement in _DELETIONS.values())
    with queue_transaction() as session:
        session.execute(_FORGET_OLD_SECRETS)
    return purged


def _drop_months(age: dt.timedelta) -> int:
    with queue_transaction() as session:
        dropped = session.execute(text("SELECT drop_job_partitions(:age)"), {"age": age})
        return int(dropped.scalar_one())


def _purge_jobs(age: dt.timedelta) -> int:
    total = 0
    while True:
        with queue_transaction() as session:
            parameters = {"age": age, "batch": _JOBS_A_BATCH}
            ids = session.execute(_OLD_JOBS, parameters).scalars().all()
            for table in ("detections", "items", "shards"):
                session.execute(
                    text(f"DELETE FROM {table} WHERE job_id = ANY (:ids)"),  # noqa: S608 - names of ours
                    {"ids": ids},
                )
            session.execute(text("DELETE FROM jobs WHERE id = ANY (:ids)"), {"ids": ids})
        total += len(ids)
        if len(ids) < _JOBS_A_BATCH:
            return total


def _purge_images(store: ObjectStore, age: dt.timedelta) -> int:
    """Objects first, rows after: a crash between the two leaves a row that is tried again."""
    with queue_transaction() as session:
        rows = session.execute(
            text("SELECT id, uri FROM images WHERE created_at < now() - :age LIMIT :batch"),
            {"age": age, "batch": _ROWS_A_BATCH},
        ).all()
    gone: list[UUID] = []
    for row in rows:
        try:
            store.delete(ObjectLocation.parse(row.uri))
        except StorageUnavailable as error:
            _log.warning("upload_not_purged", image_id=str(row.id), error=str(error))
        else:
            gone.append(row.id)
    with queue_transaction() as session:
        session.execute(text("DELETE FROM images WHERE id = ANY (:ids)"), {"ids": gone})
    return len(gone)


def _purge_records(statement: str) -> int:
    total = 0
    while True:
        with queue_transaction() as session:
            removed: int = session.execute(text(statement), {"batch": _ROWS_A_BATCH}).rowcount  # type: ignore[attr-defined]  # a DELETE's cursor result has it
        total += removed
        if removed < _ROWS_A_BATCH:
            return total
