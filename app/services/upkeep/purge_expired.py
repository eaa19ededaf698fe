"""Use case: what has been kept long enough is removed, in small batches."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from flask import current_app
from psycopg2.errors import LockNotAvailable
from sqlalchemy import Row, TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.exc import OperationalError

from app.adapters.s3 import ObjectStore
from app.config import Settings
from app.database.batched_deletes import delete_in_batches
from app.database.transactions import queue_transaction
from app.domain.item_errors import StorageUnavailable
from app.domain.storage import ObjectLocation, upload_location
from app.services.tenancy.close_presigned import end_presigned
from app.services.upkeep.roll_up_usage import forget_uncounted

_log = structlog.get_logger(__name__)

Places = dict[UUID, list[ObjectLocation]]

_JOBS_A_BATCH = 20
# A job of more is seen by nobody from now on, and goes in slices, as one that a client has deleted:
# the chore `erase` does that, and begins again where it was cut short.
_ITEMS_AT_ONCE = 500
_ROWS_A_BATCH = 500
_IMAGES_A_BATCH = 100
# So many objects that S3 does not let go end a run: it is away, and the next run is an hour off.
_FAILURES_A_RUN = 5

_OLD_JOBS = text("""
SELECT id FROM jobs
WHERE finished_at < now() - :age AND deleted_at IS NULL AND total_items <= :at_once
ORDER BY finished_at LIMIT :batch
""")
_HAND_OVER_LARGE = text("""
UPDATE jobs SET deleted_at = now()
WHERE finished_at < now() - :age AND deleted_at IS NULL AND total_items > :at_once
""")

_OLD_IMAGES = text("""
SELECT id, uri FROM images WHERE created_at < now() - :age AND id <> ALL (:kept)
ORDER BY created_at LIMIT :batch
""").bindparams(bindparam("kept", type_=ARRAY(PG_UUID)))

# Whoever has the URL may put the object there until it ends; what has begun then takes a while.
_ENDED_PRESIGNED = text("""
SELECT id, tenant_id, uri FROM presigned_uploads
WHERE expires_at < now() - interval '1 hour' AND id <> ALL (:kept)
ORDER BY expires_at LIMIT :batch
""").bindparams(bindparam("kept", type_=ARRAY(PG_UUID)))

_FORGET_OLD_SECRETS = text("""
UPDATE idempotency_keys SET body = NULL WHERE secret_until < now() AND expires_at >= now()
""")

_DELETIONS = {
    "idempotency keys": text(
        "DELETE FROM idempotency_keys WHERE (tenant_id, key) IN "
        "(SELECT tenant_id, key FROM idempotency_keys WHERE expires_at < now() LIMIT :batch)"
    ),
    "webhook deliveries": text(
        "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries "
        "WHERE created_at < now() - interval '30 days' "
        "AND state <> 'pending' LIMIT :batch)"
    ),
    "mails": text(
        "DELETE FROM mails WHERE id IN (SELECT id FROM mails "
        "WHERE created_at < now() - interval '30 days' AND finished_at IS NOT NULL LIMIT :batch)"
    ),
}


@dataclass
class Purged:
    """How many of each kind were removed, or handed over to be."""

    months: int = 0
    jobs: int = 0
    images: int = 0
    presigned: int = 0
    records: int = 0


def purge_expired(store: ObjectStore) -> Purged:
    """Remove what is past its time: jobs, uploads (also what only S3 got), deliveries, records."""
    settings: Settings = current_app.config["SETTINGS"]
    purged = Purged()
    kept_for = dt.timedelta(days=settings.retention_days_jobs)
    purged.months = _drop_months(kept_for)
    purged.jobs = _purge_jobs(kept_for)
    old = {"age": dt.timedelta(days=settings.retention_days_images)}
    purged.images = _purge_objects(store, "images", _OLD_IMAGES, old)
    purged.presigned = _purge_objects(
        store, "presigned_uploads", _ENDED_PRESIGNED, {}, _places_of_ended
    )
    purged.records = sum(
        delete_in_batches(statement, _ROWS_A_BATCH) for statement in _DELETIONS.values()
    )
    if not settings.enable_analytics:  # nobody rolls them up: they go with what they tell of
        purged.records += forget_uncounted(kept_for)
    with queue_transaction() as session:
        session.execute(_FORGET_OLD_SECRETS)
    return purged


def _drop_months(age: dt.timedelta) -> int:
    """Whole months, if nobody stands in the way just now: an hour later will do."""
    try:
        with queue_transaction() as session:
            dropped = session.execute(text("SELECT drop_job_partitions(:age)"), {"age": age})
            return int(dropped.scalar_one())
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        _log.info("months_not_dropped", reason="the tables are in use")
        return 0


def _purge_jobs(age: dt.timedelta) -> int:
    with queue_transaction() as session:
        large = session.execute(_HAND_OVER_LARGE, {"age": age, "at_once": _ITEMS_AT_ONCE})
        total: int = large.rowcount  # type: ignore[attr-defined]  # an UPDATE's cursor result has it
    while True:
        with queue_transaction() as session:
            parameters = {"age": age, "batch": _JOBS_A_BATCH, "at_once": _ITEMS_AT_ONCE}
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


def _places(rows: Sequence[Row[Any]]) -> Places:
    return {row.id: [ObjectLocation.parse(row.uri)] for row in rows}


def _places_of_ended(rows: Sequence[Row[Any]]) -> Places:
    """Of what has not become an image, the place of the image too: see `complete_upload`."""
    places, of_tenant = _places(rows), defaultdict[UUID, list[UUID]](list)
    for row in rows:
        of_tenant[row.tenant_id].append(row.id)
    for tenant_id, ids in of_tenant.items():
        for image_id in end_presigned(tenant_id, ids):
            bucket = places[image_id][0].bucket
            places[image_id].append(upload_location(bucket, tenant_id, image_id))
    return places


def _purge_objects(
    store: ObjectStore,
    table: str,
    expired: TextClause,
    limits: dict[str, Any],
    places_of: Callable[[Sequence[Row[Any]]], Places] = _places,
) -> int:
    """Objects first, rows after: a crash between the two leaves a row that is tried again."""
    total, kept = 0, set[UUID]()
    while len(kept) < _FAILURES_A_RUN:
        with queue_transaction() as session:
            parameters = {**limits, "kept": list(kept), "batch": _IMAGES_A_BATCH}
            rows = session.execute(expired, parameters).all()
        places = places_of(rows)
        gone = [image_id for image_id in places if _delete_objects(store, places[image_id])]
        kept.update(places.keys() - set(gone))
        with queue_transaction() as session:
            session.execute(
                text(f"DELETE FROM {table} WHERE id = ANY (:ids)"),  # noqa: S608 - names of ours
                {"ids": gone},
            )
        total += len(gone)
        if len(rows) < _IMAGES_A_BATCH:
            break
    return total


def _delete_objects(store: ObjectStore, places: Sequence[ObjectLocation]) -> bool:
    try:
        for place in places:
            store.delete(place)
    except StorageUnavailable as error:
        _log.warning("upload_not_purged", place=str(places[0]), error=str(error))
        return False
    return True
