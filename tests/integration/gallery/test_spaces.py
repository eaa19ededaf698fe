"""A face may have a vector in each of several spaces; one of them is the collection's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.database.transactions import tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.searches import SearchIndex, SearchReport
from app.models.collection import Collection
from app.models.face import Face
from app.services.gallery.search import compare, nearest_subjects
from app.services.gallery.subjects import delete_subject
from app.services.gallery.vectors import add_faces
from tests.factories.galleries import make_face, make_subject, new_face, unit_vector
from tests.factories.outbox import vector_changes
from tests.factories.tenant_world import TenantWorld

pytestmark = pytest.mark.stack

OTHER = "Other@1"
PROBE = unit_vector(0)


def embed_again(
    world: TenantWorld, face: Face, axis: int, space: str = OTHER, *, dimensions: int = 128
) -> None:
    """Give a face a further vector, as a change of model does."""
    world.query(
        f"INSERT INTO face_vectors_{dimensions} (face_id, space, tenant_id, collection_id, "
        "embedding) VALUES (:face, :space, :tenant, :collection, CAST(:vector AS halfvec)) "
        "RETURNING face_id",
        face=face.id,
        space=space,
        tenant=world.tenant_id,
        collection=face.collection_id,
        vector=str([1.0 if n == axis else 0.0 for n in range(dimensions)]),
    )


def similarity(collection: Collection) -> float:
    """How near the only face of the collection is to the probe."""
    with tenant_transaction(collection.tenant_id) as session:
        found = nearest_subjects(session, collection, [PROBE], 5)
    ((neighbour,),) = found.nearest
    return round(neighbour.similarity, 3)


def move(world: TenantWorld, collection: Collection, space: str) -> Collection:
    """Make another space the collection's."""
    world.query(
        "UPDATE collections SET space = :space WHERE id = :id RETURNING id",
        space=space,
        id=collection.id,
    )
    with tenant_transaction(world.tenant_id) as session:
        return session.get_one(Collection, collection.id)


def test_two_models_of_one_dimension_do_not_collide(
    world: TenantWorld, collection: Collection
) -> None:
    face = make_face(collection, None, PROBE)
    embed_again(world, face, axis=1)

    assert similarity(collection) == 1
    assert similarity(move(world, collection, OTHER)) == 0


def test_a_claim_is_compared_in_the_collections_space_only(
    world: TenantWorld, collection: Collection
) -> None:
    person = make_subject(collection)
    face = make_face(collection, person, unit_vector(1))
    embed_again(world, face, axis=0)
    claims = [(PROBE, person.id)]

    with tenant_transaction(world.tenant_id) as session:
        assert compare(session, collection, claims) == [pytest.approx(0)]
    moved = move(world, collection, OTHER)
    with tenant_transaction(world.tenant_id) as session:
        assert compare(session, moved, claims) == [pytest.approx(1)]


def test_a_face_that_another_model_embedded_is_not_found(collection: Collection) -> None:
    elsewhere = replace(collection.gallery, space=OTHER)
    face = new_face(collection, None, gallery=elsewhere, embedding=PROBE)
    with tenant_transaction(collection.tenant_id) as session:
        add_faces(session, collection.tenant_id, [face])
        found = nearest_subjects(session, collection, [PROBE], 5)

    assert found.nearest == [[]]


def test_a_new_collections_space_is_its_model(collection: Collection) -> None:
    assert collection.space == collection.model


def test_the_answer_says_how_it_was_found(collection: Collection) -> None:
    make_face(collection, None, PROBE)

    with tenant_transaction(collection.tenant_id) as session:
        current = session.get_one(Collection, collection.id)
        report = nearest_subjects(session, current, [PROBE], 1).report

    assert report == SearchReport(SearchIndex.EXACT, faces=1, recall=1)


@pytest.mark.usefixtures("follower")
def test_erasing_takes_the_vectors_of_every_space_and_length(
    world: TenantWorld, collection: Collection
) -> None:
    person = make_subject(collection)
    face = make_face(collection, person)
    embed_again(world, face, axis=1)
    embed_again(world, face, axis=1, space="Long@1", dimensions=512)

    delete_subject(world.tenant_id, collection.id, person.id, SYSTEM)

    for dimensions in (128, 512):
        assert not world.query(f"SELECT face_id FROM face_vectors_{dimensions}")
    removed = {row.space for row in vector_changes(world.tenant_id) if row.change == "removed"}
    assert removed == {collection.space, OTHER, "Long@1"}
