"""What enrolling, searching and erasing say about galleries to each other."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
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


class NotNew(StrEnum):
    """Why a face was not new to its gallery; what results and docs/errors.md call it."""

    ALREADY_ENROLLED = "already_enrolled"
    ENROLLED_AS_OTHER = "enrolled_as_other"
    MOVED = "moved"


@dataclass(frozen=True)
class NewFace:
    """A face that may enter a gallery under this id, with its L2-normalised embedding.

    `job_id` and `item_seq` say where it was found, `place_sha256` is the digest of the image's URI.
    One that `moves` becomes its subject's also where the photograph is somebody else's already. One
    that `replaces` takes the place of the subject's faces of other photographs from its place.
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
    place_sha256: bytes | None = None
    moves: bool = False
    replaces: bool = False


@dataclass(frozen=True)
class KnownFace:
    """The face that a gallery has of a photograph already, and whose it is now.

    `moved_from`: whose it was, or nobody's, when it was `moved` just now.
    """

    face_id: UUID
    subject_id: UUID | None
    moved: bool = False
    moved_from: UUID | None = None


@dataclass(frozen=True)
class AddedFaces:
    """What became of faces, by the ids that were proposed for them.

    `known`: the faces that stand in the place of those not added; `replaced`: those that were
    erased for a face.
    """

    known: Mapping[UUID, KnownFace] = field(default_factory=dict)
    replaced: Mapping[UUID, Sequence[UUID]] = field(default_factory=dict)


@dataclass(frozen=True)
class ErasedScope:
    """Whose faces are erased: those that all that is given here fits."""

    collection_id: UUID | None = None
    subject_ids: Sequence[UUID] | None = None
    face_ids: Sequence[UUID] | None = None

    @classmethod
    def faces(cls, collection_id: UUID, face_ids: Sequence[UUID]) -> ErasedScope:
        """Single faces."""
        return cls(collection_id, face_ids=face_ids)

    @classmethod
    def subjects(cls, collection_id: UUID, subject_ids: Sequence[UUID]) -> ErasedScope:
        """All faces of some people."""
        return cls(collection_id, subject_ids)

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
    """How many faces were erased: in all, and of each person where people were named.

    Where faces were named, the digests of the images of those that were there, by face.
    """

    count: int
    of_subject: Mapping[UUID, int] = field(default_factory=dict)
    digests: Mapping[UUID, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Deletion:
    """Which of those that were named, each once and in that order, are gone by this."""

    deleted: Sequence[SubjectKey]
    not_found: Sequence[SubjectKey]

    @classmethod
    def of(cls, named: Iterable[SubjectKey], gone: Container[SubjectKey]) -> Deletion:
        """Tell them apart."""
        once = list(dict.fromkeys(named))
        return cls([key for key in once if key in gone], [key for key in once if key not in gone])
