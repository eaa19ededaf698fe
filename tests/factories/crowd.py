"""A gallery with all that makes a search hard, and what an independent comparison says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from app.database.transactions import tenant_transaction
from app.domain.gallery import Embedding, GalleryRef, NewFace
from app.domain.identifiers import new_id
from app.domain.matching import Neighbour
from app.domain.searches import SearchIndex
from app.models.collection import Collection
from app.services.gallery.follow_vectors import KeptCopies
from app.services.gallery.strategies.exact_cached import ExactCached
from app.services.gallery.strategies.strategy import Strategy
from app.services.gallery.vectors import add_faces
from tests.factories.galleries import DIMENSIONS, make_collection, make_subject, new_face
from tests.factories.tenant_world import TenantWorld

Doubles = npt.NDArray[np.float64]


@dataclass(repr=False)
class Crowd:
    """Faces by id with their vectors, enrolled in no order of their ids."""

    collection: Collection
    faces: dict[UUID, Embedding] = field(default_factory=dict)

    def similarities(self, probe: Embedding, limit: int) -> list[float]:
        """The largest similarities that there are, in double precision."""
        stored = _halves(list(self.faces.values()))
        asked = _halves([_as_sent(probe)])[0]
        lengths = np.linalg.norm(stored, axis=1) * np.linalg.norm(asked)
        found: list[float] = np.sort((stored @ asked) / lengths)[::-1][:limit].tolist()
        return found


def make_crowd() -> Crowd:
    """Strangers, people with many faces, faces of nobody, and thirty pictures that are the same."""
    draw = np.random.default_rng(12)
    crowd = Crowd(make_collection(TenantWorld.create().tenant_id, threshold=0.4))
    people = [make_subject(crowd.collection) for _ in range(12)]
    vectors = [*_drawn(draw, 200), *[_drawn(draw, 1)[0]] * 30]
    vectors += [v for person in range(4) for v in _around(draw, _drawn(draw, 1)[0], 20 + person)]
    faces: list[NewFace] = []
    for number, vector in enumerate(vectors):
        person = people[number % len(people)] if number % 3 else None
        crowd.faces[face_id := new_id()] = vector
        faces.append(
            new_face(crowd.collection, person, face_id=face_id, embedding=vector, item_seq=number)
        )
    draw.shuffle(faces)  # type: ignore[arg-type]  # any sequence
    with tenant_transaction(crowd.collection.tenant_id) as session:
        add_faces(session, crowd.collection.tenant_id, faces)
    return crowd


def probes_of(crowd: Crowd, seed: int, count: int) -> list[Embedding]:
    """Strangers, faces of the gallery themselves, and others near them."""
    draw = np.random.default_rng(seed)
    known = list(crowd.faces.values())
    chosen = [known[number] for number in draw.integers(len(known), size=count)]
    kinds = [
        lambda vector: vector,
        lambda vector: _around(draw, vector, 1)[0],
        lambda _: _drawn(draw, 1)[0],
    ]
    return [kinds[draw.integers(3)](vector) for vector in chosen]


def _drawn(draw: np.random.Generator, count: int) -> list[Embedding]:
    return _units(draw.standard_normal((count, DIMENSIONS)))


def _around(draw: np.random.Generator, vector: Embedding, count: int) -> list[Embedding]:
    noise = draw.standard_normal((count, DIMENSIONS)) * 0.05
    return _units(np.asarray(vector) + noise)


def _units(vectors: Doubles) -> list[Embedding]:
    made: Sequence[Embedding] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).tolist()
    return list(made)


def _halves(vectors: npt.ArrayLike) -> Doubles:
    return np.asarray(vectors).astype(np.float16).astype(np.float64)


def _as_sent(probe: Embedding) -> npt.NDArray[np.float32]:
    """PostgreSQL reads seven digits into single precision, and makes that a half."""
    return np.asarray([float(f"{value:.7g}") for value in probe], np.float32)


def nearest(
    strategy: Strategy, collection: Collection, probes: Sequence[Embedding], limit: int = 5
) -> list[list[Neighbour]]:
    """A search in a transaction of its own."""
    with tenant_transaction(collection.tenant_id) as session:
        return strategy.nearest(session, collection.gallery, probes, limit)


class NoOther:
    """Stands where a search falls back to another strategy, which fails the test."""

    index = SearchIndex.EXACT
    recall = 1.0

    def nearest(
        self, session: Session, gallery: GalleryRef, probes: Sequence[Embedding], limit: int
    ) -> list[list[Neighbour]]:
        raise AssertionError(f"no copy of {gallery}: {session}, {len(probes)}, {limit}")


def cached(kept: KeptCopies) -> ExactCached:
    """Searches of copies and of nothing else."""
    return ExactCached(kept, NoOther())
