"""What those who keep a copy of the vectors are told, and when nobody has to be told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from app.database.transactions import queue_transaction, tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.gallery import ErasedScope
from app.models.collection import Collection
from app.models.face import Face
from app.services.gallery.collections import delete_collection
from app.services.gallery.faces import delete_face
from app.services.gallery.subjects import delete_subject
from app.services.gallery.vectors import add_faces, erase_faces
from app.services.jobs.erase_tenant import erase_tenant
from tests.factories.galleries import make_collection, make_face, make_subject, new_face
from tests.factories.outbox import told, vector_changes
from tests.factories.tenant_world import TenantWorld
from tests.support.processes import wait_until

pytestmark = pytest.mark.stack

Erasure = Callable[[Collection, Face], object]


@pytest.fixture(
    params=[
        lambda c, face: delete_face(c.tenant_id, c.id, face.id, SYSTEM),
        lambda c, face: delete_subject(c.tenant_id, c.id, face.subject_id, SYSTEM),
        lambda c, _face: delete_collection(c.tenant_id, c.id, SYSTEM),
        lambda c, _face: erase_tenant(c.tenant_id),
    ],
    ids=["face", "subject", "collection", "tenant"],
)
def erasure(request: pytest.FixtureRequest) -> Erasure:
    """Each way in which a face is erased."""
    way: Erasure = request.param
    return way


def test_without_a_follower_nothing_is_written(collection: Collection, erasure: Erasure) -> None:
    face = make_face(collection, make_subject(collection))
    erasure(collection, face)

    assert vector_changes(collection.tenant_id) == []


@pytest.mark.usefixtures("follower")
def test_an_enrolled_face_is_told_with_its_space(collection: Collection) -> None:
    face = make_face(collection, make_subject(collection))

    (row,) = vector_changes(collection.tenant_id)
    assert (row.change, row.face_id, row.space) == ("added", face.id, collection.space)
    assert row.collection_id == collection.id


@pytest.mark.usefixtures("follower")
def test_an_erased_face_is_told(collection: Collection, erasure: Erasure) -> None:
    face = make_face(collection, make_subject(collection))
    erasure(collection, face)

    assert told(collection.tenant_id) == [("added", face.id), ("removed", face.id)]


@pytest.mark.usefixtures("follower")
def test_only_what_is_erased_is_told(world: TenantWorld, collection: Collection) -> None:
    other = make_collection(world.tenant_id)
    person = make_subject(collection)
    erased = [make_face(collection, person) for _ in range(2)]
    make_face(collection, make_subject(collection))
    make_face(other, None)

    delete_subject(world.tenant_id, collection.id, person.id, SYSTEM)

    removed = {face for change, face in told(world.tenant_id) if change == "removed"}
    assert removed == {face.id for face in erased}


@pytest.mark.usefixtures("follower")
def test_a_photograph_that_is_known_already_is_not_told_again(collection: Collection) -> None:
    face = new_face(collection, None)
    for each in (face, new_face(collection, None, image_sha256=face.image_sha256)):
        with tenant_transaction(collection.tenant_id) as session:
            add_faces(session, collection.tenant_id, [each])

    assert told(collection.tenant_id) == [("added", face.face_id)]


@pytest.mark.usefixtures("follower")
def test_what_is_rolled_back_was_never_told(collection: Collection) -> None:
    kept = make_face(collection, None)
    with tenant_transaction(collection.tenant_id) as session:
        erase_faces(session, collection.tenant_id, ErasedScope.collection(collection.id))
        add_faces(session, collection.tenant_id, [new_face(collection, None)])
        session.rollback()

    assert told(collection.tenant_id) == [("added", kept.id)]


@pytest.mark.usefixtures("follower")
def test_below_the_oldest_open_transaction_nothing_is_missing(collection: Collection) -> None:
    """Ids are given out before commits: a later change may be committed before an earlier one."""
    other = make_collection(TenantWorld.create().tenant_id)
    with tenant_transaction(collection.tenant_id) as session:
        add_faces(session, collection.tenant_id, [new_face(collection, None)])
        early = make_face(other, None)
        assert told(other.tenant_id) == [("added", early.id)]
        assert _settled(collection, other) == 0

    wait_until(lambda: _settled(collection, other) == 2, seconds=120)


def _settled(*collections: Collection) -> int:
    """How many changes a follower may read, by the rule of `VectorChange`."""
    with queue_transaction() as session:
        count = session.execute(
            text(
                "SELECT count(*) FROM vector_changes WHERE collection_id = ANY (:ids) "
                "AND xact < pg_snapshot_xmin(pg_current_snapshot())"
            ),
            {"ids": [collection.id for collection in collections]},
        )
        return int(count.scalar_one())
