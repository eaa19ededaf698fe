"""What the matching needs of a vector store, whichever it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.domain.matching import Neighbour

Embedding = Sequence[float]


@dataclass(frozen=True)
class GalleryRef:
    """A collection as the vector store knows it: whose it is and how long its vectors are."""

    tenant_id: UUID
    collection_id: UUID
    dimensions: int


@dataclass(frozen=True)
class GalleryVector:
    """The L2-normalised embedding of an enrolled face."""

    face_id: UUID
    embedding: Embedding


class VectorStore(Protocol):
    """Keeps embeddings by collection and finds the nearest by cosine similarity."""

    def add(self, gallery: GalleryRef, vectors: Sequence[GalleryVector]) -> None:
        """Make faces searchable; adding a face again changes nothing."""

    def search(
        self, gallery: GalleryRef, probes: Sequence[Embedding], limit: int
    ) -> list[list[Neighbour]]:
        """For each probe, its nearest `limit` faces, most similar first."""

    def compare(
        self, gallery: GalleryRef, claims: Sequence[tuple[Embedding, UUID]]
    ) -> list[float | None]:
        """How similar each probe is to the nearest face of its subject; None if that has none."""

    @property
    def index_name(self) -> str:
        """How the search was made, kept with each result."""
