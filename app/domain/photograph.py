"""The faces of one photograph decided together: nobody is in it twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.domain.matching import MatchRule, Neighbour
from app.domain.states import Decision


@dataclass(frozen=True)
class DecidedFace:
    """What was decided about a face; `taken` are its candidates whom another face is, by place."""

    decision: Decision
    taken: dict[UUID, int]


def decide_photograph(
    rule: MatchRule, faces: Sequence[Sequence[Neighbour]], *, distinct: bool
) -> list[DecidedFace]:
    """Decide about the faces of one photograph, from each one's candidates, best first.

    With `distinct`, whoever is most similar to a face of it is nobody else of it: the other faces
    are decided as if that subject were not enrolled. Only a match takes a subject; who cannot be
    told apart is taken by nobody.
    """
    taken: dict[UUID, int] = {}
    decided: dict[int, DecidedFace] = {}
    while len(decided) < len(faces):
        left = {
            place: [near for near in faces[place] if near.subject_id not in taken]
            for place in range(len(faces))
            if place not in decided
        }
        place = max(left, key=lambda each: (left[each][0].similarity if left[each] else -2, -each))
        decision = rule.decide(left[place])
        candidates = {near.subject_id for near in faces[place]}
        by_others = {subject: by for subject, by in taken.items() if subject in candidates}
        decided[place] = DecidedFace(decision, by_others)
        if distinct and decision is Decision.MATCH and (subject := left[place][0].subject_id):
            taken[subject] = place
    return [decided[place] for place in range(len(faces))]
