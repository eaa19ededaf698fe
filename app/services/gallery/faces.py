"""Use cases: enrolled faces are read and erased."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete

from app.database.transactions import tenant_transaction
from app.domain.actor import Actor
from app.domain.errors import NotFound
from app.models.face import Face
from app.queries.subjects import find_subject, list_faces
from app.services.gallery.face_count import lower_face_count
from app.services.tenancy.record_audit import record_audit


def read_faces(
    tenant_id: UUID,
    collection_id: UUID,
    subject_id: UUID,
    actor: Actor,
    *,
    limit: int,
    after: UUID | None,
) -> Sequence[Face]:
    """Read the faces of a subject, newest first: up to `limit` and one more.

    Raises:
        NotFound: the collection of this tenant has no such subject.
    """
    with tenant_transaction(tenant_id) as session:
        find_subject(session, tenant_id, collection_id, subject_id)
        faces = list_faces(session, tenant_id, subject_id, limit=limit, after=after)
        detail = {"faces": min(len(faces), limit)}
        record_audit(session, tenant_id, actor, "subject.faces_read", "subject", subject_id, detail)
    return faces


def delete_face(tenant_id: UUID, collection_id: UUID, face_id: UUID, actor: Actor) -> None:
    """Erase a face with its embedding.

    Raises:
        NotFound: the collection of this tenant has no such face.
    """
    with tenant_transaction(tenant_id) as session:
        erased = session.scalars(
            delete(Face)
            .where(
                Face.tenant_id == tenant_id,
                Face.collection_id == collection_id,
                Face.id == face_id,
            )
            .returning(Face.image_sha256)
        ).one_or_none()
        if erased is None:
            raise NotFound("The collection has no such face")
        lower_face_count(session, tenant_id, collection_id, 1)
        detail = {"image_sha256": bytes(erased).hex()}
        record_audit(session, tenant_id, actor, "face.deleted", "face", face_id, detail)
