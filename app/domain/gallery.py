"""What enrolling, searching and erasing say about galleries to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

Embedding = Sequence[float]
# Our id of a person, or the client's.
SubjectKey = UUID | str


@dataclass(frozen=True)
class GalleryRef:
    """A collection as its vectors know it: whose it is, how long they are, and their space.

    A space is what one model makes comparable, so it is named by the model (`name@digest`).
    """

    tenant_id: UUID
    collection_id: UUID
    dimensions: int
    space: str


@dataclass(frozen=True)
class SubjectFilter:
    """Which people of a collection: of an external id, whose metadata hold all of an object."""

    external_id: str | None = None
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class NewFace:
    """A face that may enter a gallery under this id, with its L2-normalised embedding.

    `job_id` and `item_seq` say where it was found.
    """

    face_id: UUID
    gallery: GalleryRef
    subject_id: UUID | None
    image_sha256: bytes
    face_no: int
    box: Sequence[int]
    quality: float
    model: str
    job_id: UUID
    item_seq: int
    embedding: Embedding


@dataclass(frozen=True)
class KnownFace:
    """The face that a gallery has of a photograph already."""

    face_id: UUID
    subject_id: UUID | None


@dataclass(frozen=True)
class ErasedScope:
    """Whose faces are erased: those that all the ids given here fit."""

    collection_id: UUID | None = None
    subject_id: UUID | None = None
    face_id: UUID | None = None

    @classmethod
    def face(cls, collection_id: UUID, face_id: UUID) -> ErasedScope:
        """One face."""
        return cls(collection_id, face_id=face_id)

    @classmethod
    def subject(cls, collection_id: UUID, subject_id: UUID) -> ErasedScope:
        """All faces of a person."""
        return cls(collection_id, subject_id)

    @classmethod
    def collection(cls, collection_id: UUID) -> ErasedScope:
        """All faces of a collection."""
        return cls(collection_id)

    @classmethod
    def tenant(cls) -> ErasedScope:
        """All faces that the tenant has."""
        return cls()


@dataclass(frozen=True)
class ErasedFaces:
    """How many faces were erased; `image_sha256` where it was a face that was named."""

    count: int
    image_sha256: bytes | None = None
