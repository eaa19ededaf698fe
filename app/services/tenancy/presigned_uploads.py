"""Use cases: a client sends a picture to S3 itself, and says that it is there."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from uuid import UUID

from flask import current_app
from sqlalchemy.dialects.postgresql import insert

from app.adapters.s3_upload_signer import UploadSigner
from app.config import Settings
from app.database.transactions import read_transaction, separate_transaction, tenant_transaction
from app.domain.actor import Actor
from app.domain.identifiers import new_id
from app.domain.item_errors import (
    EmptyObject,
    ImageNotFound,
    ImageTooLarge,
    ItemError,
)
from app.domain.presigned_upload import Presigned, UploadPromise
from app.domain.request_errors import (
    Conflict,
    FieldError,
    ImageNotUploaded,
    ImageRejected,
    Invalid,
    NotFound,
    Unavailable,
)
from app.domain.storage import ObjectLocation, incoming_location
from app.models.image import Image
from app.models.presigned_upload import PresignedUpload
from app.queries.uploads import find_image, find_presigned
from app.services.tenancy.close_presigned import close_presigned, hold_unfinished
from app.services.tenancy.record_audit import record_audit
from app.services.tenancy.room import require_room_for_upload
from app.services.tenancy.uploads import (
    checked_image,
    object_store,
    record_upload,
    remove_object,
)


def presign_upload(tenant_id: UUID, promise: UploadPromise, actor: Actor) -> Presigned:
    """Let a client put one object of so many bytes into S3, under a key that we make.

    Its row is there before anybody has the URL: no object is without one.

    Raises:
        Invalid: more bytes than MAX_UPLOAD_SIZE.
        StorageFull: the tenant has no room for it.
        Unavailable: there is nothing to sign with.
    """
    settings: Settings = current_app.config["SETTINGS"]
    if promise.byte_count > settings.max_upload_size:
        most = f"An image may have {settings.max_upload_size} bytes"
        raise Invalid(most, errors=(FieldError("/bytes", most),))
    require_room_for_upload(tenant_id, promise.byte_count)
    image_id = new_id()
    place = incoming_location(settings.aws_storage_bucket_name, tenant_id, image_id)
    signed = upload_signer(settings).sign(place, promise)
    expires_at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=settings.presigned_upload_seconds)
    row = PresignedUpload(
        id=image_id,
        tenant_id=tenant_id,
        uri=str(place),
        content_type=promise.content_type,
        byte_count=promise.byte_count,
        sha256=promise.sha256,
        expires_at=expires_at,
    )
    with tenant_transaction(tenant_id) as session:
        session.add(row)
        detail = {"bytes": promise.byte_count}
        record_audit(session, tenant_id, actor, "image.presigned", "image", image_id, detail)
    return Presigned(image_id, signed, expires_at)


def complete_upload(tenant_id: UUID, image_id: UUID, actor: Actor) -> Image:
    """Make an image of what a client has put into S3; of one that is made already, answer it.

    What was checked is what is kept: it is written to another key, to which no URL leads. Its row
    comes first, as in `upload_image`; no job uses it before all is done. Deleted meanwhile, it is
    gone: whoever wrote the object last sees that, and removes it.

    Raises:
        NotFound: nothing of this tenant has the id, or the image is deleted.
        ImageNotUploaded: there is no object yet.
        ImageRejected: the object is no image that we read, or not the promised one.
        Conflict: an attempt to complete it began with other bytes.
        StorageFull: the tenant has no room for it, any more.
        Unavailable: S3 does not answer; the same call can be made again.
    """
    presigned = _unfinished(tenant_id, image_id)
    if isinstance(presigned, Image):
        return presigned
    settings: Settings = current_app.config["SETTINGS"]
    store, incoming = object_store(settings), ObjectLocation.parse(presigned.uri)
    try:
        content = _received(incoming)
    except ImageNotUploaded:
        # Another call may have finished, and removed it, since this one looked.
        if isinstance(finished := _unfinished(tenant_id, image_id), Image):
            return finished
        raise
    promised = _promised_image(presigned, content)
    require_room_for_upload(tenant_id, len(content))
    image = _keep_row(promised)
    place = ObjectLocation.parse(image.uri)
    store.write(place, content, image.content_type)
    try:
        _finish(image, actor)
    except NotFound:
        remove_object(store, place)
        raise
    remove_object(store, incoming)
    return image


@lru_cache(maxsize=1)
def upload_signer(settings: Settings) -> UploadSigner:
    """Return the process's signer; the first call builds it."""
    return UploadSigner.from_settings(settings)


def _unfinished(tenant_id: UUID, image_id: UUID) -> PresignedUpload | Image:
    """What is to be completed, or the image where that is done."""
    with read_transaction(tenant_id) as session:
        presigned = find_presigned(session, tenant_id, image_id)
        if presigned is None or presigned.completed_at is not None:
            return find_image(session, tenant_id, image_id)
        return presigned


def _received(incoming: ObjectLocation) -> bytes:
    try:
        return object_store(current_app.config["SETTINGS"]).read(incoming)
    except ImageNotFound as error:
        raise ImageNotUploaded("Send the image to its upload URL first") from error
    except (EmptyObject, ImageTooLarge) as error:
        reason = f"{error.code}: {error.message}"
        raise ImageRejected(error.message, errors=(FieldError("", reason),)) from error
    except ItemError as error:
        raise Unavailable("The image store does not answer; try again", retry_after=5) from error


def _promised_image(presigned: PresignedUpload, content: bytes) -> Image:
    """The image that these bytes make, if they are those that were promised."""
    image = checked_image(presigned.tenant_id, presigned.id, content, pointer="")
    for name, promised, found in (
        ("bytes", presigned.byte_count, image.byte_count),
        ("content_type", presigned.content_type, image.content_type),
        ("sha256", presigned.sha256 or image.sha256, image.sha256),
    ):
        if promised != found:
            raise ImageRejected(
                f"The object's {name} is not the one that was presigned",
                errors=(FieldError(f"/{name}", "is not the one that was presigned"),),
            )
    return image


def _keep_row(image: Image) -> Image:
    """Write the image's row, or find that of an attempt with the same bytes.

    Raises:
        NotFound: it was deleted since this call looked.
        Conflict: an attempt to complete it began with other bytes.
    """
    columns = {column.key: getattr(image, column.key) for column in Image.__table__.columns}
    columns.pop("created_at")
    with separate_transaction(image.tenant_id) as session:
        if hold_unfinished(session, image.tenant_id, [image.id]):
            session.execute(insert(Image).values(columns).on_conflict_do_nothing())
        kept = find_image(session, image.tenant_id, image.id)
    if kept.sha256 != image.sha256:
        raise Conflict("Another object was taken for this image; presign another one")
    return kept


def _finish(image: Image, actor: Actor) -> None:
    """Let jobs use the image; tell the audit log once, however often it is asked for.

    Raises:
        NotFound: it was deleted since its row was written.
    """
    with tenant_transaction(image.tenant_id) as session:
        if close_presigned(session, image.tenant_id, [image.id]):
            record_upload(session, image, actor)
        find_image(session, image.tenant_id, image.id)
