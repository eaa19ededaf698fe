"""Use case: an operator calibrates by the people of a collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.database.transactions import tenant_transaction
from app.domain.actor import SYSTEM
from app.queries.collections import find_collection
from app.queries.labelled_vectors import LabelledVector, labelled_vectors
from app.services.tenancy.record_audit import record_audit


@dataclass(frozen=True)
class LabelledFaces:
    """Faces of a collection, and the model (`name@digest`) that its vectors are of."""

    model: str
    faces: Sequence[LabelledVector]


def read_labelled_faces(tenant_id: UUID, collection_id: UUID, limit: int) -> LabelledFaces:
    """Read up to `limit` embeddings with whose they are; leaves an audit event.

    Raises:
        NotFound: no collection of this tenant has the id.
    """
    with tenant_transaction(tenant_id) as session:
        collection = find_collection(session, tenant_id, collection_id)
        faces = labelled_vectors(session, collection.gallery, limit)
        detail = {"faces": len(faces)}
        action = "collection.embeddings_read"
        record_audit(session, tenant_id, SYSTEM, action, "collection", collection_id, detail)
        return LabelledFaces(collection.model, faces)
