"""Use case: a client sees the picture of an enrolled face."""

from __future__ import annotations

import hashlib
from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from flask import current_app

from app.adapters.crop_program import FaceCropper
from app.config import Settings
from app.database.transactions import read_transaction, tenant_transaction
from app.domain.actor import Actor
from app.domain.face_crop import CropRequest
from app.domain.image_header import read_image_header
from app.domain.item_errors import ImageNotFound, ItemError, StorageUnavailable
from app.domain.request_errors import ImageChanged, ImageNotReadable, NotFound, Unavailable
from app.domain.storage import ObjectLocation
from app.queries.face_pictures import find_face_picture
from app.services.tenancy.record_audit import record_audit
from app.services.tenancy.storage_places import readable_storage
from app.services.tenancy.uploads import object_store


@dataclass(frozen=True)
class FaceKey:
    """A face of a collection of a tenant."""

    tenant_id: UUID
    collection_id: UUID
    face_id: UUID


@dataclass(frozen=True)
class FaceCrop:
    """`jpeg` is None where the client has this version already."""

    version: str
    jpeg: bytes | None


def crop_face(key: FaceKey, size: int, known: Container[str], actor: Actor) -> FaceCrop:
    """Cut a face out of its picture, as that lies in S3 now and if the tenant may read it now.

    Raises:
        NotFound: there is no such face, or its picture is gone, or the job that names it.
        ImageChanged: the picture is another one now.
        ImageNotReadable: the tenant may not read it any more, or S3 does not give it.
        Unavailable: S3 or the program that cuts out does not answer.
    """
    with read_transaction(key.tenant_id) as session:
        face = find_face_picture(session, key.tenant_id, key.collection_id, key.face_id)
        refusal = face.image_uri and readable_storage(session, key.tenant_id).refusal(
            face.image_uri
        )
    digest = bytes(face.image_sha256)
    version = hashlib.sha256(key.face_id.bytes + digest + size.to_bytes(2)).hexdigest()[:32]
    if version in known:
        return FaceCrop(version, None)
    if face.image_uri is None:
        raise NotFound("The job that enrolled the face is gone, and with it where its image lies")
    try:
        if refusal:
            raise refusal
        jpeg = _cut_out(face.image_uri, digest, CropRequest(tuple(face.box), size))
    except ImageNotFound as error:
        raise NotFound("The image of the face is gone") from error
    except StorageUnavailable as error:
        raise Unavailable("The image's bucket does not answer; try again", retry_after=5) from error
    except ItemError as error:
        raise ImageNotReadable(f"{error.code}: {error.message}") from error
    _record(key, digest, actor)
    return FaceCrop(version, jpeg)


@lru_cache(maxsize=1)
def face_cropper(settings: Settings) -> FaceCropper:
    """Return the process's programs; the first call starts none."""
    return FaceCropper(settings)


def _cut_out(uri: str, digest: bytes, wanted: CropRequest) -> bytes:
    settings: Settings = current_app.config["SETTINGS"]
    content = object_store(settings).read(ObjectLocation.parse(uri))
    if hashlib.sha256(content).digest() != digest:
        raise ImageChanged("The image is not the one any more in which the face was found")
    header = read_image_header(content, max_pixels=settings.max_image_pixels)
    return face_cropper(settings).crop(content, header, wanted)


def _record(key: FaceKey, digest: bytes, actor: Actor) -> None:
    """Tell who saw it; a face that was erased meanwhile is shown to nobody."""
    with tenant_transaction(key.tenant_id) as session:
        find_face_picture(session, key.tenant_id, key.collection_id, key.face_id)
        detail = {"image_sha256": digest.hex()}
        record_audit(session, key.tenant_id, actor, "face.image_read", "face", key.face_id, detail)
