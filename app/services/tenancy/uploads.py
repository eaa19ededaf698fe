"""Use case: a client uploads a picture."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from uuid import UUID

import structlog
from flask import current_app
from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.adapters.s3 import ObjectStore
from app.config import Settings
from app.database.transactions import separate_transaction, tenant_transaction
from app.domain.actor import Actor
from app.domain.identifiers import new_id
from app.domain.image_header import read_image_header
from app.domain.item_errors import (
    ItemError,
    StorageUnavailable,
)
from app.domain.request_errors import (
    FieldError,
    ImageRejected,
    NotFound,
    PayloadTooLarge,
    StorageRefused,
)
from app.domain.storage import ObjectLocation, upload_location
from app.models.image import Image
from app.queries.uploads import find_image
from app.services.tenancy.record_audit import record_audit
from app.services.tenancy.room import require_room_for_upload

_log = structlog.get_logger(__name__)


def upload_image(tenant_id: UUID, content: bytes, actor: Actor) -> Image:
    """Keep a picture in S3 under a key that we make, and its row.

    The row comes first, and stays whatever becomes of the request: no object is without one, so
    retention finds what a crash has left.

    Raises:
        PayloadTooLarge: more than MAX_UPLOAD_SIZE bytes.
        ImageRejected: not an image we read; `errors` holds the item code it would fail with.
        StorageFull: the tenant has no room for it.
        Unavailable: S3 did not take it.
        NotFound: the tenant was erased meanwhile.
    """
    settings: Settings = current_app.config["SETTINGS"]
    if len(content) > settings.max_upload_size:
        raise PayloadTooLarge(f"An image may have {settings.max_upload_size} bytes")
    image = checked_image(tenant_id, new_id(), content)
    require_room_for_upload(tenant_id, len(content))
    with separate_transaction(tenant_id) as session:
        session.add(image)
        session.flush()
    store, place = object_store(settings), ObjectLocation.parse(image.uri)
    try:
        store.write(place, content, image.content_type)
    except StorageRefused:
        _forget(image)
        raise
    try:
        with tenant_transaction(tenant_id) as session:
            find_image(session, tenant_id, image.id)
            record_upload(session, image, actor)
    except NotFound:
        remove_object(store, place)
        raise
    return image


def remove_object(store: ObjectStore, place: ObjectLocation) -> None:
    """Remove an object that nobody has a row of; one that S3 keeps is logged."""
    try:
        store.delete(place)
    except StorageUnavailable as error:
        _log.warning("object_left", place=str(place), error=str(error))


@lru_cache(maxsize=1)
def object_store(settings: Settings) -> ObjectStore:
    """Return the process's S3 client; the first call builds it."""
    return ObjectStore.from_settings(settings)


def _forget(image: Image) -> None:
    """Remove the row of an object that cannot be there; a row that stays is left to retention."""
    try:
        with separate_transaction(image.tenant_id) as session:
            session.execute(
                delete(Image).where(Image.tenant_id == image.tenant_id, Image.id == image.id)
            )
    except SQLAlchemyError as error:
        _log.warning("upload_row_left", image_id=str(image.id), error=str(error))


def checked_image(tenant_id: UUID, image_id: UUID, content: bytes, pointer: str = "/file") -> Image:
    """What is known of a picture by its bytes, as the row it will have.

    Raises:
        ImageRejected: not an image we read; `errors` holds the item code it would fail with.
    """
    settings: Settings = current_app.config["SETTINGS"]
    try:
        header = read_image_header(content, max_pixels=settings.max_image_pixels)
    except ItemError as error:
        reason = f"{error.code}: {error.message}"
        raise ImageRejected(error.message, errors=(FieldError(pointer, reason),)) from error
    width, height = header.displayed_size
    return Image(
        id=image_id,
        tenant_id=tenant_id,
        uri=str(upload_location(settings.aws_storage_bucket_name, tenant_id, image_id)),
        sha256=hashlib.sha256(content).digest(),
        content_type=header.content_type,
        width=width,
        height=height,
        byte_count=len(content),
    )


def record_upload(session: Session, image: Image, actor: Actor) -> None:
    """Tell the audit log that an image is there."""
    detail = {"sha256": image.sha256.hex(), "bytes": image.byte_count}
    record_audit(session, image.tenant_id, actor, "image.uploaded", "image", image.id, detail)
