"""Collections with people and faces in them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from app.database.transactions import tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.gallery import NewFace
from app.domain.identifiers import new_id
from app.models.collection import Collection
from app.models.face import Face
from app.models.subject import Subject
from app.services.gallery.collections import NewCollection, create_collection
from app.services.gallery.subjects import create_subject
from app.services.gallery.vectors import add_faces

DIMENSIONS = 128


def make_collection(
    tenant_id: UUID, *, name: str | None = None, threshold: float | None = None
) -> Collection:
    """A collection of the default model."""
    wanted = NewCollection(name or f"collection-{uuid4()}", threshold=threshold)
    return create_collection(tenant_id, wanted, SYSTEM)


def make_subject(collection: Collection, external_id: str | None = None) -> Subject:
    """A person without faces."""
    return create_subject(
        collection.tenant_id, collection.id, external_id or f"person-{uuid4()}", {}, SYSTEM
    )


def new_face(collection: Collection, subject: Subject | None, **fields: Any) -> NewFace:
    """A face of an image that no other face came from, before it is enrolled."""
    values: dict[str, Any] = {
        "face_id": new_id(),
        "gallery": collection.gallery,
        "subject_id": subject.id if subject else None,
        "image_sha256": hashlib.sha256(uuid4().bytes).digest(),
        "face_no": 0,
        "box": (10, 20, 80, 100),
        "quality": 0.8,
        "model": collection.model,
        "job_id": new_id(),
        "item_seq": 0,
        "embedding": unit_vector(0),
    }
    return NewFace(**values | fields)


def make_face(
    collection: Collection, subject: Subject | None, embedding: Sequence[float] | None = None
) -> Face:
    """An enrolled face of an image that no other face came from; counted in its collection."""
    face = new_face(collection, subject, **({"embedding": embedding} if embedding else {}))
    with tenant_transaction(collection.tenant_id) as session:
        add_faces(session, collection.tenant_id, [face])
        return session.get_one(Face, face.face_id)


def unit_vector(axis: int, *, towards: int | None = None, cosine: float = 1.0) -> list[float]:
    """A unit vector along an axis, or at a given cosine to it, turned `towards` another axis."""
    vector = [0.0] * DIMENSIONS
    vector[axis] = cosine
    if towards is not None:
        vector[towards] = math.sqrt(1 - cosine**2)
    return vector
