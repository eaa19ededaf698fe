"""The vector store in PostgreSQL: half-precision vectors, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.database.bulk_rows import BulkTable
from app.domain.gallery import Embedding, GalleryRef, GalleryVector
from app.domain.matching import Neighbour

_VECTORS = BulkTable("bulk_vectors", {"face_id": "uuid", "embedding": "halfvec"})


@dataclass(frozen=True)
class PgVectorStore:
    """Searches with the rights of `session`: row-level security sees one tenant only."""

    session: Session

    @property
    def index_name(self) -> str:
        """Every face is compared: recall is 1."""
        return "exact"

    def add(self, gallery: GalleryRef, vectors: Sequence[GalleryVector]) -> None:
        """Insert the vectors of faces that exist in `faces`."""
        if not vectors:
            return
        _VECTORS.fill(
            self.session,
            ({"face_id": vector.face_id, "embedding": vector.embedding} for vector in vectors),
        )
        self.session.execute(
            text(f"""
                INSERT INTO {_table(gallery)} (face_id, tenant_id, collection_id, embedding)
                SELECT face_id, :tenant_id, :collection_id, embedding FROM pg_temp.bulk_vectors
                ON CONFLICT (face_id) DO NOTHING"""),  # noqa: S608 - the dimension is an integer of ours
            {"tenant_id": gallery.tenant_id, "collection_id": gallery.collection_id},
        )

    def search(
        self, gallery: GalleryRef, probes: Sequence[Embedding], limit: int
    ) -> list[list[Neighbour]]:
        """One statement for all probes; the collection is a literal, as partial indexes need.

        A probe is made a vector before the scan: a cast inside would be computed for every row.
        """
        if not probes:
            return []
        found: list[list[Neighbour]] = [[] for _ in probes]
        rows = self.session.execute(
            text(f"""
                SELECT probe.number, near.face_id, faces.subject_id, near.similarity
                FROM unnest(CAST(:probes AS halfvec[])) WITH ORDINALITY AS probe (vector, number)
                CROSS JOIN LATERAL (
                  SELECT face_id, 1 - (embedding <=> probe.vector) AS similarity
                  FROM {_table(gallery)} WHERE collection_id = '{gallery.collection_id}'
                  ORDER BY embedding <=> probe.vector LIMIT :limit
                ) AS near
                JOIN faces ON faces.id = near.face_id
                ORDER BY probe.number, near.similarity DESC"""),  # noqa: S608 - an integer and a UUID of ours
            {"probes": [as_literal(probe) for probe in probes], "limit": limit},
        )
        for row in rows:
            found[row.number - 1].append(
                Neighbour(row.face_id, row.subject_id, float(row.similarity))
            )
        return found

    def compare(
        self, gallery: GalleryRef, claims: Sequence[tuple[Embedding, UUID]]
    ) -> list[float | None]:
        """One statement for all claims."""
        similarities: list[float | None] = [None] * len(claims)
        if not claims:
            return similarities
        rows = self.session.execute(
            text(f"""
                SELECT claim.number, 1 - min(embedding <=> claim.vector) AS similarity
                FROM unnest(CAST(:probes AS halfvec[]), CAST(:subjects AS uuid[]))
                  WITH ORDINALITY AS claim (vector, subject_id, number)
                JOIN faces ON faces.subject_id = claim.subject_id
                JOIN {_table(gallery)} AS stored ON stored.face_id = faces.id
                GROUP BY claim.number"""),  # noqa: S608 - an integer of ours
            {
                "probes": [as_literal(probe) for probe, _ in claims],
                "subjects": [subject_id for _, subject_id in claims],
            },
        )
        for row in rows:
            similarities[row.number - 1] = float(row.similarity)
        return similarities


def as_literal(embedding: Embedding) -> str:
    """The text form of a vector: `[0.1,0.2,…]`."""
    return "[" + ",".join(f"{value:.7g}" for value in embedding) + "]"


def _table(gallery: GalleryRef) -> str:
    return f"face_vectors_{gallery.dimensions:d}"
