"""Use cases: enrolled faces are read and erased."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.database.transactions import tenant_transaction
from app.domain.actor import Actor
from app.domain.gallery import Deletion, ErasedScope, SubjectKey
from app.domain.request_errors import NotFound
from app.domain.windows import Window
from app.models.face import Face
from app.queries.collections import keep_collection
from app.queries.subjects import find_subject, list_collection_faces, list_faces
from app.services.gallery.vectors import erase_faces
from app.services.tenancy.record_audit import record_audit


def read_faces(
    tenant_id: UUID, collection_id: UUID, key: SubjectKey, actor: Actor, window: Window
) -> Sequence[Face]:
    """Read the faces of a subject, in a window.

    Raises:
        NotFound: the collection of this tenant has no such subject.
    """
    with tenant_transaction(tenant_id) as session:
        subject = find_subject(session, tenant_id, collection_id, key)
        faces = list_faces(session, tenant_id, subject.id, window)
        detail = {"faces": min(len(faces), window.limit)}
        record_audit(session, tenant_id, actor, "subject.faces_read", "subject", subject.id, detail)
    return faces


def read_collection_faces(
    tenant_id: UUID, collection_id: UUID, actor: Actor, window: Window
) -> Sequence[Face]:
    """Read the faces of a collection, in a window.

    Raises:
        NotFound: no collection of this tenant has the id.
    """
    with tenant_transaction(tenant_id) as session:
        faces = list_collection_faces(session, tenant_id, collection_id, window)
        detail = {"faces": min(len(faces), window.limit)}
        action = "collection.faces_read"
        record_audit(session, tenant_id, actor, action, "collection", collection_id, detail)
    return faces


def delete_face(tenant_id: UUID, collection_id: UUID, face_id: UUID, actor: Actor) -> None:
    """Erase a face with its embedding.

    Raises:
        NotFound: no collection of this tenant has the id, or it has no such face.
    """
    with tenant_transaction(tenant_id) as session:
        keep_collection(session, tenant_id, collection_id)
        if not _erase(session, tenant_id, collection_id, [face_id], actor):
            raise NotFound("The collection has no such face")


def delete_faces(
    tenant_id: UUID, collection_id: UUID, face_ids: Sequence[UUID], actor: Actor
) -> Deletion:
    """Erase faces with their embeddings; says which of them were there.

    Raises:
        NotFound: no collection of this tenant has the id.
    """
    with tenant_transaction(tenant_id) as session:
        keep_collection(session, tenant_id, collection_id)
        erased = _erase(session, tenant_id, collection_id, face_ids, actor)
    return Deletion.of(face_ids, erased)


def _erase(
    session: Session, tenant_id: UUID, collection_id: UUID, face_ids: Sequence[UUID], actor: Actor
) -> set[UUID]:
    """Which of the faces were there; each is an event."""
    erased = erase_faces(session, tenant_id, ErasedScope.faces(collection_id, face_ids))
    for face_id, digest in sorted(erased.digests.items()):
        detail = {"image_sha256": digest.hex()}
        record_audit(session, tenant_id, actor, "face.deleted", "face", face_id, detail)
    return set(erased.digests)
