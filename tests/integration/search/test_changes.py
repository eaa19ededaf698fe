"""A face is found as soon as its enrolment is committed, and not any more once it is erased."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from app.database.base import db
from app.database.transactions import tenant_transaction
from app.domain.actor import SYSTEM
from app.models.collection import Collection
from app.services.gallery.collections import delete_collection
from app.services.gallery.faces import delete_face
from app.services.gallery.strategies.strategy import Strategy
from app.services.gallery.subjects import delete_subject
from app.services.gallery.vectors import add_faces
from tests.factories.crowd import nearest
from tests.factories.galleries import (
    make_collection,
    make_face,
    make_subject,
    new_face,
    unit_vector,
)
from tests.factories.tenant_world import TenantWorld

pytestmark = pytest.mark.stack

PROBE = unit_vector(0)


def near(similarity: float, axis: int) -> list[float]:
    """A vector at this similarity to the probe, in a direction of its own."""
    return unit_vector(0, towards=axis, cosine=similarity)


def test_a_new_face_is_found_at_once(collection: Collection, strategy: Strategy) -> None:
    assert nearest(strategy, collection, [PROBE]) == [[]]
    for axis in range(1, 6):
        face = make_face(collection, make_subject(collection), near(axis / 10, axis))
        assert nearest(strategy, collection, [PROBE], 1)[0][0].face_id == face.id


def test_a_face_is_found_in_the_transaction_that_enrols_it(
    collection: Collection, strategy: Strategy
) -> None:
    make_face(collection, None, near(0.3, 1))
    nearest(strategy, collection, [PROBE])
    face = new_face(collection, None, embedding=PROBE)

    with tenant_transaction(collection.tenant_id) as session:
        add_faces(session, collection.tenant_id, [face])
        ((found,),) = strategy.nearest(session, collection.gallery, [PROBE], 1)

    assert found.face_id == face.face_id


def test_an_erased_face_is_not_answered_and_the_next_takes_its_place(
    collection: Collection, strategy: Strategy
) -> None:
    faces = [make_face(collection, None, near(1 - axis / 10, axis)) for axis in range(1, 8)]
    nearest(strategy, collection, [PROBE])

    for number in range(4):
        delete_face(collection.tenant_id, collection.id, faces[number].id, SYSTEM)
        (found,) = nearest(strategy, collection, [PROBE], 2)
        assert [each.face_id for each in found] == [faces[number + 1].id, faces[number + 2].id]


def test_nobody_of_an_erased_person_or_collection_is_answered(
    collection: Collection, strategy: Strategy
) -> None:
    person = make_subject(collection)
    for axis in range(1, 4):
        make_face(collection, person, near(0.9, axis))
    other = make_face(collection, None, near(0.2, 9))
    nearest(strategy, collection, [PROBE])

    delete_subject(collection.tenant_id, collection.id, person.id, SYSTEM)
    ((left,),) = nearest(strategy, collection, [PROBE])
    delete_collection(collection.tenant_id, collection.id, SYSTEM)

    assert left.face_id == other.id
    assert nearest(strategy, collection, [PROBE]) == [[]]


def test_a_face_that_becomes_another_person_s_is_answered_as_theirs(
    collection: Collection, strategy: Strategy
) -> None:
    face = new_face(collection, make_subject(collection), embedding=PROBE)
    heir = make_subject(collection)
    moving = new_face(collection, heir, image_sha256=face.image_sha256, moves=True)

    for each in (face, moving):
        with tenant_transaction(collection.tenant_id) as session:
            add_faces(session, collection.tenant_id, [each])
        ((found,),) = nearest(strategy, collection, [PROBE])
        assert (found.face_id, found.subject_id) == (face.face_id, each.subject_id)


def test_what_is_rolled_back_changes_no_answer(collection: Collection, strategy: Strategy) -> None:
    kept = make_face(collection, None, near(0.5, 1))
    with tenant_transaction(collection.tenant_id) as session:
        add_faces(session, collection.tenant_id, [new_face(collection, None, embedding=PROBE)])
        strategy.nearest(session, collection.gallery, [PROBE], 5)
        session.rollback()

    ((found,),) = nearest(strategy, collection, [PROBE])

    assert found.face_id == kept.id


def test_a_face_that_is_erased_while_it_is_searched_for_is_not_answered(
    collection: Collection, strategy: Strategy
) -> None:
    faces = [make_face(collection, None, near(1 - axis / 10, axis)) for axis in range(1, 8)]

    def erase() -> None:
        delete_face(collection.tenant_id, collection.id, faces[0].id, SYSTEM)

    with _before_the_last_statement(erase):
        (found,) = nearest(strategy, collection, [PROBE], 2)

    assert [each.face_id for each in found] == [faces[1].id, faces[2].id]


def test_another_tenant_finds_nobody_even_by_the_right_names(
    world: TenantWorld, collection: Collection, strategy: Strategy
) -> None:
    make_face(collection, make_subject(collection), PROBE)
    assert nearest(strategy, collection, [PROBE]) != [[]]
    stranger = TenantWorld.create()
    assert stranger.tenant_id != world.tenant_id

    with tenant_transaction(stranger.tenant_id) as session:
        assert strategy.nearest(session, collection.gallery, [PROBE], 5) == [[]]


def test_nobody_of_another_collection_is_answered(
    world: TenantWorld, collection: Collection, strategy: Strategy
) -> None:
    other = make_collection(world.tenant_id)
    here, there = (make_face(each, None, PROBE) for each in (collection, other))

    for each, face in ((collection, here), (other, there), (collection, here)):
        ((found,),) = nearest(strategy, each, [PROBE])
        assert found.face_id == face.id


@contextmanager
def _before_the_last_statement(action: Any) -> Iterator[None]:
    """Do something elsewhere just before a search reads whose faces it found."""
    waiting = [action]

    def act(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "<=>" in statement and waiting:
            waiting.pop()()

    event.listen(db.engine, "before_cursor_execute", act)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", act)
    assert not waiting
