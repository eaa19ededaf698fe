"""Use case: uploads go before their time, one or many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from flask import current_app
from sqlalchemy import delete

from app.database.transactions import after_commit, read_transaction, tenant_transaction
from app.domain.actor import Actor
from app.domain.item_errors import StorageUnavailable
from app.domain.request_errors import NotFound, Unavailable
from app.domain.storage import ObjectLocation
from app.models.image import Image
from app.queries.uploads import find_places, find_presigned_among
from app.services.tenancy.close_presigned import close_presigned
from app.services.tenancy.record_audit import record_audit
from app.services.tenancy.uploads import object_store

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class DeletedImages:
    """Which of the images that were named, each once and in that order, are gone by this."""

    deleted: Sequence[UUID]
    not_found: Sequence[UUID]


def delete_image(tenant_id: UUID, image_id: UUID, actor: Actor) -> None:
    """Remove an upload, as `delete_images` does.

    Raises:
        NotFound: no upload of this tenant has the id.
        Unavailable: S3 did not delete it; the row stays.
    """
    if not delete_images(tenant_id, [image_id], actor).deleted:
        raise NotFound("There is no such image")


def delete_images(tenant_id: UUID, image_ids: Sequence[UUID], actor: Actor) -> DeletedImages:
    """Remove up to a thousand uploads: objects first, so that no crash leaves one without a row.

    What was presigned is completed by nobody from then on. Who was about to may have written the
    object in between: so those are removed once more, after their rows.

    Items of open jobs that name one of them fail with `image_not_found`.

    Raises:
        Unavailable: S3 kept some. Their rows stay; the same call can be made again.
    """
    with read_transaction(tenant_id) as session:
        places = find_places(session, tenant_id, image_ids)
    kept = _delete_objects(places)
    with tenant_transaction(tenant_id) as session:
        removed = places.keys() - kept
        close_presigned(session, tenant_id, removed)
        own = Image.tenant_id == tenant_id, Image.id.in_(removed)
        gone = set(session.scalars(delete(Image).where(*own).returning(Image.id)))
        for image_id in sorted(gone):
            record_audit(session, tenant_id, actor, "image.deleted", "image", image_id)
        presigned = find_presigned_among(session, tenant_id, gone)
        again = {image_id: places[image_id] for image_id in presigned}
        after_commit(session, lambda: _remove_again(again))
    if kept:
        still = "The image store does not answer" if kept == set(places) else f"S3 kept {len(kept)}"
        raise Unavailable(f"{still}; try again", retry_after=5)
    once = dict.fromkeys(image_ids)
    return DeletedImages(
        [each for each in once if each in gone], [each for each in once if each not in gone]
    )


def _remove_again(places: dict[UUID, ObjectLocation]) -> None:
    """What S3 keeps is left to retention: it finds it by the presigned upload."""
    if left := _delete_objects(places):
        _log.info("deleted_objects_left", image_ids=sorted(map(str, left)))


def _delete_objects(places: dict[UUID, ObjectLocation]) -> set[UUID]:
    """The images whose objects may still be there, in whichever bucket they lie."""
    store = object_store(current_app.config["SETTINGS"])
    buckets: dict[str, dict[str, UUID]] = defaultdict(dict)
    for image_id, place in places.items():
        buckets[place.bucket][place.key] = image_id
    kept: set[UUID] = set()
    for bucket, keys in buckets.items():
        try:
            kept |= {keys[key] for key in store.delete_all(bucket, list(keys))}
        except StorageUnavailable:
            kept |= set(keys.values())
    return kept
