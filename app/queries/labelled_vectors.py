"""Reads the embeddings of a gallery with whose they are, to count how alike its people look."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.domain.gallery import Embedding, GalleryRef


@dataclass(frozen=True)
class LabelledVector:
    """An enrolled face: whose, of which photograph (its digest), and its vector of length 1."""

    subject_id: UUID
    photograph: bytes
    embedding: Embedding


def labelled_vectors(session: Session, gallery: GalleryRef, limit: int) -> list[LabelledVector]:
    """Up to `limit` faces that belong to subjects, those enrolled last first."""
    rows = session.execute(
        text(f"""
            SELECT faces.subject_id, faces.image_sha256, CAST(stored.embedding AS text) AS vector
            FROM faces JOIN face_vectors_{gallery.dimensions:d} AS stored
              ON stored.face_id = faces.id AND stored.space = :space
            WHERE faces.tenant_id = :tenant_id AND faces.collection_id = :collection_id
              AND faces.subject_id IS NOT NULL
            ORDER BY faces.id DESC LIMIT :limit"""),  # noqa: S608 - an integer of ours
        {
            "space": gallery.space,
            "tenant_id": gallery.tenant_id,
            "collection_id": gallery.collection_id,
            "limit": limit,
        },
    )
    return [
        LabelledVector(
            row.subject_id,
            bytes(row.image_sha256),
            tuple(float(value) for value in row.vector.strip("[]").split(",")),
        )
        for row in rows
    ]
