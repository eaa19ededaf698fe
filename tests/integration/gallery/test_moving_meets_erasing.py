"""Photographs change hands while people are erased: nobody deadlocks, and counts stay right."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from hashlib import sha256

import pytest
from flask import Flask
from sqlalchemy import text

from app.database.transactions import tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.gallery import NewFace
from app.domain.identifiers import new_id
from app.models.collection import Collection
from app.models.subject import Subject
from app.services.gallery import vectors
from app.services.gallery.collections import read_collection
from app.services.gallery.faces import delete_faces
from app.services.gallery.subjects import delete_subject, delete_subjects
from tests.factories.galleries import make_subject, new_face
from tests.factories.tenant_world import TenantWorld
from tests.support.locks import Begin, beginning

pytestmark = pytest.mark.stack

PEOPLE = ("ada", "bob", "cy")
PHOTOS = [sha256(f"photo {number}".encode()).digest() for number in range(6)]
_HOLD = text("SELECT id FROM subjects WHERE id = ANY (:ids) ORDER BY id FOR NO KEY UPDATE")
_HOLD_FACE = text("SELECT id FROM faces WHERE id = :id FOR UPDATE")


@pytest.fixture
def begin(app: Flask) -> Iterator[Begin]:
    with beginning(app) as start:
        yield start


def enrol(collection: Collection, faces: Sequence[NewFace], *people: Subject) -> None:
    """As a batch of results does: its people are held beforehand."""
    with tenant_transaction(collection.tenant_id) as session:
        session.execute(_HOLD, {"ids": [person.id for person in people]})
        vectors.add_faces(session, collection.tenant_id, faces)


def face_count(world: TenantWorld, collection: Collection) -> int:
    """What the collection says, which must be how many there are, each with its vector."""
    stored = "SELECT count(*) AS faces FROM {} WHERE collection_id = :id"
    counts = {
        world.query(stored.format(table), id=collection.id)[0].faces
        for table in ("faces", "face_vectors_128")
    }
    counted = read_collection(collection.tenant_id, collection.id).face_count
    assert counts == {counted}
    return counted


def owners(world: TenantWorld, collection: Collection) -> list[str | None]:
    query = """
SELECT external_id FROM faces LEFT JOIN subjects ON subjects.id = faces.subject_id
WHERE faces.collection_id = :id ORDER BY faces.image_sha256"""
    return [row.external_id for row in world.query(query, id=collection.id)]


def test_a_move_that_waits_for_the_erasure_of_its_person_enrols_anew(
    world: TenantWorld, collection: Collection, begin: Begin
) -> None:
    bob, ada = make_subject(collection, "bob"), make_subject(collection, "ada")
    old = new_face(collection, bob)
    enrol(collection, [old], bob)
    moving = new_face(collection, ada, image_sha256=old.image_sha256, moves=True)

    with tenant_transaction(world.tenant_id):
        delete_subject(world.tenant_id, collection.id, bob.id, SYSTEM)
        moved = begin(lambda: enrol(collection, [moving], ada))
    moved.result(timeout=10)

    assert (owners(world, collection), face_count(world, collection)) == (["ada"], 1)


def test_the_erasure_of_a_person_leaves_what_was_moved_away_meanwhile(
    world: TenantWorld, collection: Collection, begin: Begin
) -> None:
    bob, ada = make_subject(collection, "bob"), make_subject(collection, "ada")
    old = new_face(collection, bob)
    enrol(collection, [old, new_face(collection, bob)], bob)
    moving = new_face(collection, ada, image_sha256=old.image_sha256, moves=True)

    with tenant_transaction(world.tenant_id):
        enrol(collection, [moving], ada)
        erased = begin(
            lambda: delete_subject(world.tenant_id, collection.id, bob.id, SYSTEM),
        )
    erased.result(timeout=10)

    assert (owners(world, collection), face_count(world, collection)) == (["ada"], 1)


def test_an_enrolment_of_known_photographs_and_their_erasure_wait_in_one_order(
    world: TenantWorld, collection: Collection, begin: Begin
) -> None:
    """The faces that were made first have the higher keys, so that the two orders differ."""
    bob, ada = make_subject(collection, "bob"), make_subject(collection, "ada")
    photos = sorted(PHOTOS, reverse=True)[:3]
    faces = [new_face(collection, bob, image_sha256=photo) for photo in photos]
    for face in faces:
        enrol(collection, [face], bob)
    again = [new_face(collection, ada, image_sha256=photo) for photo in photos]

    with tenant_transaction(world.tenant_id) as session:
        # Whoever comes first to the middle one waits here, holding what it holds already.
        session.execute(_HOLD_FACE, {"id": faces[1].face_id})
        erased = begin(lambda: delete_subject(world.tenant_id, collection.id, bob.id, SYSTEM))
        known = begin(lambda: enrol(collection, again, ada))
    for change in (erased, known):
        change.result(timeout=10)

    assert (owners(world, collection), face_count(world, collection)) == (["ada"] * 3, 3)


def test_a_replacement_and_an_enrolment_of_the_same_photographs_wait_in_one_order(
    world: TenantWorld, collection: Collection, begin: Begin
) -> None:
    """What is replaced has the lower key: it is not held after what replaces it."""
    ada, cy = make_subject(collection, "ada"), make_subject(collection, "cy")
    low, high = sorted(PHOTOS)[:2]
    shown = {
        photo: new_face(collection, ada, image_sha256=photo, place_sha256=PHOTOS[0])
        for photo in (low, high)
    }
    enrol(collection, list(shown.values()), ada)
    replacing = new_face(collection, ada, image_sha256=high, place_sha256=PHOTOS[0], replaces=True)
    again = [new_face(collection, cy, image_sha256=photo) for photo in (low, high)]

    with tenant_transaction(world.tenant_id) as session:
        session.execute(_HOLD_FACE, {"id": shown[high].face_id})
        replaced = begin(lambda: enrol(collection, [replacing], ada))
        known = begin(lambda: enrol(collection, again, cy))
    for change in (replaced, known):
        change.result(timeout=10)

    assert (owners(world, collection), face_count(world, collection)) == (["cy", "ada"], 2)


def test_people_who_are_erased_together_are_held_in_the_order_of_an_enrolment(
    world: TenantWorld, collection: Collection, begin: Begin
) -> None:
    first, second = make_subject(collection, "a"), make_subject(collection, "b")

    with tenant_transaction(world.tenant_id) as session:
        session.execute(_HOLD, {"ids": [first.id]})
        enrolled = begin(lambda: enrol(collection, [new_face(collection, second)], first, second))
        erased = begin(lambda: delete_subjects(world.tenant_id, collection.id, ["b", "a"], SYSTEM))
    for change in (enrolled, erased):
        change.result(timeout=10)

    assert face_count(world, collection) == 0


def test_a_face_that_is_erased_while_it_is_looked_for_is_not_said_to_be_enrolled(
    world: TenantWorld, collection: Collection, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the insertion, which found the photograph, and the look at whose it is."""
    bob, ada = make_subject(collection, "bob"), make_subject(collection, "ada")
    old = new_face(collection, bob)
    enrol(collection, [old], bob)
    look, erasing = vectors._known, list[object]()

    def erase_then_look(*args: object) -> object:
        erasing.append(
            begin(lambda: delete_subject(world.tenant_id, collection.id, bob.id, SYSTEM))
        )
        return look(*args)  # type: ignore[arg-type] # what it was called with

    monkeypatch.setattr(vectors, "_known", erase_then_look)
    again = new_face(collection, ada, image_sha256=old.image_sha256)
    with tenant_transaction(world.tenant_id) as session:
        added = vectors.add_faces(session, world.tenant_id, [again])

    assert len(erasing) == 1
    assert added.known[again.face_id].face_id == old.face_id


def test_moves_replacements_and_erasures_of_the_same_people_all_get_through(
    app: Flask, world: TenantWorld, collection: Collection
) -> None:
    """What one of them must not do is to fail, or to leave a count that is wrong."""

    def work(seed: int) -> None:
        draw = random.Random(seed)  # noqa: S311 - a reproducible draw
        with app.app_context():
            for _ in range(25):
                draw.choices(changes(world, collection, draw), weights=(6, 1, 1, 1))[0]()

    with ThreadPoolExecutor(max_workers=4) as pool:
        done, late = wait([pool.submit(work, seed) for seed in range(4)], timeout=120)
    for each in done:
        each.result()

    assert not late
    face_count(world, collection)


def changes(
    world: TenantWorld, collection: Collection, draw: random.Random
) -> list[Callable[[], object]]:
    """An enrolment, and each way in which faces are erased, of people and photographs drawn."""
    named = draw.sample(PEOPLE, 2)
    query = "SELECT id FROM faces WHERE collection_id = :id"
    return [
        lambda: enrol_some(world, collection, named, draw),
        lambda: erase_one(world, collection, named[0]),
        lambda: delete_subjects(world.tenant_id, collection.id, named, SYSTEM),
        lambda: delete_faces(
            world.tenant_id,
            collection.id,
            [row.id for row in world.query(query, id=collection.id)][:2],
            SYSTEM,
        ),
    ]


def enrol_some(
    world: TenantWorld, collection: Collection, named: Sequence[str], draw: random.Random
) -> None:
    """A batch of two people, who are made if they are not there, and held."""
    with tenant_transaction(world.tenant_id) as session:
        for name in sorted(named):
            session.execute(_MAKE, {"id": new_id(), "name": name, **owned(collection)})
    with tenant_transaction(world.tenant_id) as session:
        held = session.execute(_HOLD_NAMED, {"names": list(named), **owned(collection)}).scalars()
        people = held.all()
        faces = [
            new_face(
                collection,
                None,
                subject_id=draw.choice(people),
                image_sha256=photo,
                place_sha256=draw.choice(PHOTOS),
                moves=draw.random() < 0.7,
                replaces=draw.random() < 0.5,
                item_seq=seq,
            )
            for seq, photo in enumerate(draw.sample(PHOTOS, 3))
            if people
        ]
        vectors.add_faces(session, world.tenant_id, faces)


def erase_one(world: TenantWorld, collection: Collection, name: str) -> None:
    delete_subjects(world.tenant_id, collection.id, [name], SYSTEM)


def owned(collection: Collection) -> dict[str, object]:
    return {"tenant": collection.tenant_id, "collection": collection.id}


_MAKE = text("""
INSERT INTO subjects (id, tenant_id, collection_id, external_id)
VALUES (:id, :tenant, :collection, :name) ON CONFLICT DO NOTHING
""")
_HOLD_NAMED = text("""
SELECT id FROM subjects WHERE tenant_id = :tenant AND collection_id = :collection
  AND external_id = ANY (:names) ORDER BY id FOR NO KEY UPDATE
""")
