"""Enrolling and erasing at the same time: nobody deadlocks, and nothing slips through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.database.transactions import tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.request_errors import NotFound
from app.models.collection import Collection
from app.queries.collections import find_collection
from app.services.gallery import vectors
from app.services.gallery.collections import delete_collection
from app.services.gallery.faces import delete_face
from tests.factories.galleries import make_face, make_subject, new_face
from tests.factories.outbox import told
from tests.support.locks import Begin, beginning

pytestmark = pytest.mark.stack

_HOLD_SUBJECT = text("SELECT id FROM subjects WHERE id = :id FOR KEY SHARE")
_HOLD_FACE = text("SELECT id FROM faces WHERE id = :id FOR UPDATE")


@pytest.fixture
def begin(app: Flask) -> Iterator[Begin]:
    with beginning(app) as start:
        yield start


def deletion(collection: Collection) -> Callable[[], None]:
    return lambda: delete_collection(collection.tenant_id, collection.id, SYSTEM)


def require_gone(collection: Collection) -> None:
    with tenant_transaction(collection.tenant_id) as session, pytest.raises(NotFound):
        find_collection(session, collection.tenant_id, collection.id)


@pytest.mark.usefixtures("follower")
def test_a_face_enrolled_while_its_collection_is_deleted_is_told_as_removed(
    collection: Collection, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deletion comes between the face's row and the count, which holds the collection."""
    count, deleted = vectors._count, list[Future[None]]()

    def delete_then_count(session: Session, faces: Mapping[UUID, int]) -> None:
        if not deleted:
            deleted.append(begin(deletion(collection)))
        count(session, faces)

    monkeypatch.setattr(vectors, "_count", delete_then_count)
    face = new_face(collection, None)
    with tenant_transaction(collection.tenant_id) as session:
        vectors.add_faces(session, collection.tenant_id, [face])
    deleted[0].result(timeout=10)

    assert told(collection.tenant_id) == [("added", face.face_id), ("removed", face.face_id)]


def test_an_enrolment_that_holds_its_subject_does_not_deadlock_with_a_deletion(
    collection: Collection, begin: Begin
) -> None:
    person = make_subject(collection)
    with tenant_transaction(collection.tenant_id) as session:
        session.execute(_HOLD_SUBJECT, {"id": person.id})
        deleted = begin(deletion(collection))
        vectors.add_faces(session, collection.tenant_id, [new_face(collection, person)])
    deleted.result(timeout=10)

    require_gone(collection)


def test_a_face_s_erasure_does_not_deadlock_with_its_collection_s(
    collection: Collection, begin: Begin
) -> None:
    face = make_face(collection, None)
    with tenant_transaction(collection.tenant_id) as session:
        session.execute(_HOLD_FACE, {"id": face.id})
        erased = begin(lambda: delete_face(face.tenant_id, collection.id, face.id, SYSTEM))
        deleted = begin(deletion(collection))
    erased.result(timeout=10)
    deleted.result(timeout=10)

    require_gone(collection)
