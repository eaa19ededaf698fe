"""The gallery's reader: whoever compares a face with enrolled ones does it here.

Only vectors of the collection's current space are read, and every answer says how it was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from app.domain.gallery import Embedding
from app.domain.matching import Neighbour, best_per_subject
from app.domain.searches import SearchReport
from app.models.collection import Collection
from app.queries.nearest_faces import similarities_to_subjects
from app.services.gallery.strategies.choose import choose
from app.services.gallery.strategies.strategy import Strategy

# A subject with several faces takes several places among the nearest: look this much further.
_FACES_A_SUBJECT = 4


@dataclass(frozen=True)
class FoundSubjects:
    """For each probe its nearest subjects, best first, and how they were found."""

    nearest: list[list[Neighbour]]
    report: SearchReport


def nearest_subjects(
    session: Session,
    collection: Collection,
    probes: Sequence[Embedding],
    wanted: int,
    strategy: Strategy | None = None,
) -> FoundSubjects:
    """Each probe's `wanted` nearest subjects by their best faces, whatever else is in the batch.

    Where somebody with many faces has taken the places of the others, look further. Without a
    `strategy`, the fastest one is taken.
    """
    first = strategy or choose(collection, len(probes))
    found: list[list[Neighbour]] = [[] for _ in probes]
    crowded, limit = list(range(len(probes))), wanted * _FACES_A_SUBJECT
    while crowded:
        asked = [probes[number] for number in crowded]
        nearest = strategy or choose(collection, len(asked))
        answers = nearest.nearest(session, collection.gallery, asked, limit)
        for number, neighbours in zip(crowded, answers, strict=True):
            found[number] = best_per_subject(neighbours, wanted)
        crowded = [
            number
            for number, neighbours in zip(crowded, answers, strict=True)
            if len(neighbours) == limit and len(found[number]) < wanted
        ]
        limit *= _FACES_A_SUBJECT
    report = SearchReport(first.index, collection.face_count, first.recall)
    return FoundSubjects(found, report)


def compare(
    session: Session, collection: Collection, claims: Sequence[tuple[Embedding, UUID]]
) -> list[float | None]:
    """How similar each probe is to the nearest face of its subject; None if that has none."""
    return similarities_to_subjects(session, collection.gallery, claims)
