"""Reads of vectors: the one place that compares a probe with what a gallery holds.

A probe is made a vector before the scan: a cast inside would be computed for every row, and so
would a second mention of the distance. The collection is a literal, as partial indexes need it.
Row-level security sees one tenant only.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.domain.gallery import Embedding, GalleryRef
from app.domain.matching import Neighbour


def nearest_faces(
    session: Session, gallery: GalleryRef, probes: Sequence[Embedding], limit: int
) -> list[list[Neighbour]]:
    """For each probe its nearest `limit` faces, most similar first; one statement for all.

    Of equally similar faces the one that was enrolled first counts as nearer.
    """
    found: list[list[Neighbour]] = [[] for _ in probes]
    if not probes:
        return found
    rows = session.execute(
        text(f"""
            SELECT probe.number, near.face_id, faces.subject_id, 1 - near.distance AS similarity
            FROM unnest(CAST(:probes AS halfvec[])) WITH ORDINALITY AS probe (vector, number)
            CROSS JOIN LATERAL (
              SELECT face_id, embedding <=> probe.vector AS distance
              FROM {_table(gallery)}
              WHERE collection_id = '{gallery.collection_id}' AND space = :space
              ORDER BY distance, face_id LIMIT :limit
            ) AS near
            JOIN faces ON faces.id = near.face_id
            ORDER BY probe.number, near.distance, near.face_id"""),  # noqa: S608 - an integer and a UUID of ours
        {"probes": _literals(probes), "space": gallery.space, "limit": limit},
    )
    for row in rows:
        found[row.number - 1].append(Neighbour(row.face_id, row.subject_id, float(row.similarity)))
    return found


def compare_faces(
    session: Session,
    gallery: GalleryRef,
    probes: Sequence[Embedding],
    face_ids: Sequence[Sequence[UUID]],
) -> list[list[Neighbour]]:
    """For each probe those of its faces that are there, in the order of `nearest_faces`."""
    found: list[list[Neighbour]] = [[] for _ in probes]
    asked = [(number, face) for number, ids in enumerate(face_ids, start=1) for face in ids]
    if not asked:
        return found
    # LIMIT: each face is looked up by its key, whatever the planner thinks of their number.
    rows = session.execute(
        text(f"""
            SELECT asked.number, asked.face_id, faces.subject_id, 1 - stored.distance AS similarity
            FROM unnest(CAST(:numbers AS integer[]), CAST(:face_ids AS uuid[]))
              AS asked (number, face_id)
            JOIN unnest(CAST(:probes AS halfvec[])) WITH ORDINALITY AS probe (vector, number)
              ON probe.number = asked.number
            CROSS JOIN LATERAL (
              SELECT embedding <=> probe.vector AS distance FROM {_table(gallery)}
              WHERE face_id = asked.face_id AND space = :space AND collection_id = :collection_id
              LIMIT 1
            ) AS stored
            CROSS JOIN LATERAL (
              SELECT subject_id FROM faces WHERE id = asked.face_id LIMIT 1
            ) AS faces
            ORDER BY asked.number, stored.distance, asked.face_id"""),  # noqa: S608 - an integer of ours
        {
            "numbers": [number for number, _ in asked],
            "face_ids": [face_id for _, face_id in asked],
            "probes": _literals(probes),
            "space": gallery.space,
            "collection_id": gallery.collection_id,
        },
    )
    for row in rows:
        found[row.number - 1].append(Neighbour(row.face_id, row.subject_id, float(row.similarity)))
    return found


def similarities_to_subjects(
    session: Session, gallery: GalleryRef, claims: Sequence[tuple[Embedding, UUID]]
) -> list[float | None]:
    """How similar each probe is to the nearest face of its subject; None if that has none."""
    similarities: list[float | None] = [None] * len(claims)
    if not claims:
        return similarities
    rows = session.execute(
        text(f"""
            SELECT claim.number, 1 - min(embedding <=> claim.vector) AS similarity
            FROM unnest(CAST(:probes AS halfvec[]), CAST(:subjects AS uuid[]))
              WITH ORDINALITY AS claim (vector, subject_id, number)
            JOIN faces ON faces.subject_id = claim.subject_id
            JOIN {_table(gallery)} AS stored ON stored.face_id = faces.id AND stored.space = :space
            GROUP BY claim.number"""),  # noqa: S608 - an integer of ours
        {
            "probes": _literals([probe for probe, _ in claims]),
            "subjects": [subject_id for _, subject_id in claims],
            "space": gallery.space,
        },
    )
    for row in rows:
        similarities[row.number - 1] = float(row.similarity)
    return similarities


def number_as_sent(value: float) -> str:
    """A number of a probe as PostgreSQL reads it, before it rounds it to half precision."""
    return f"{value:.7g}"


def _literals(embeddings: Sequence[Embedding]) -> list[str]:
    """The text form of vectors: `[0.1,0.2,…]`."""
    return ["[" + ",".join(map(number_as_sent, each)) + "]" for each in embeddings]


def _table(gallery: GalleryRef) -> str:
    return f"face_vectors_{gallery.dimensions:d}"
