"""People and faces are erased by the thousand, in one call that may be repeated."""

from __future__ import annotations

from typing import Any

import pytest

from app.api.schemas.subjects import MOST_DELETED
from app.domain.identifiers import new_id
from app.domain.names import Scope
from app.models.collection import Collection
from tests.factories.callers import Caller
from tests.factories.galleries import make_collection, make_face, make_subject


@pytest.fixture
def collection(api: Caller) -> Collection:
    """A collection without anybody."""
    return make_collection(api.tenant_id)


def _path(collection: Collection, kind: str) -> str:
    return f"/collections/{collection.id}/{kind}/delete"


def _delete(api: Caller, collection: Collection, kind: str, **named: Any) -> dict[str, Any]:
    response = api.post(_path(collection, kind), json=named)
    assert response.status_code == 200
    answer: dict[str, Any] = response.get_json()
    return answer


def _left(api: Caller, collection: Collection) -> tuple[set[str], set[str], int]:
    """Who and what is left, and how many faces the collection says that it has."""
    path = f"/collections/{collection.id}"
    people, faces = (api.get(f"{path}/{of}").get_json()["data"] for of in ("subjects", "faces"))
    count = api.get(path).get_json()["face_count"]
    return {person["external_id"] for person in people}, {face["id"] for face in faces}, count


def test_people_are_erased_with_their_faces_by_our_ids(api: Caller, collection: Collection) -> None:
    ada, bob, kept = (make_subject(collection, name) for name in ("ada", "bob", "kept"))
    for person in (ada, ada, bob):
        make_face(collection, person)
    face, unknown = make_face(collection, kept), new_id()

    named = [str(bob.id), str(unknown), str(ada.id)]
    answer = _delete(api, collection, "subjects", ids=named)

    assert answer == {"deleted": [str(bob.id), str(ada.id)], "not_found": [str(unknown)]}
    assert _left(api, collection) == ({"kept"}, {str(face.id)}, 1)


def test_people_are_erased_by_their_own_ids_in_either_form(
    api: Caller, collection: Collection
) -> None:
    for name in ("Jos\u00e9", "a/b", "kept"):
        make_subject(collection, name)

    answer = _delete(api, collection, "subjects", external_ids=["Jose\u0301", "a/b", "nobody"])

    assert answer == {"deleted": ["Jos\u00e9", "a/b"], "not_found": ["nobody"]}
    assert _left(api, collection)[0] == {"kept"}


def test_faces_are_erased_and_taken_off_the_count(api: Caller, collection: Collection) -> None:
    ada = make_subject(collection, "ada")
    faces = [make_face(collection, whose) for whose in (ada, None, ada)]

    answer = _delete(api, collection, "faces", ids=[str(face.id) for face in faces[:2]])

    assert answer == {"deleted": [str(face.id) for face in faces[:2]], "not_found": []}
    assert _left(api, collection) == ({"ada"}, {str(faces[2].id)}, 1)


@pytest.mark.parametrize("kind", ["subjects", "faces"])
def test_a_repetition_finds_nobody_and_changes_nothing(
    api: Caller, collection: Collection, kind: str
) -> None:
    person = make_subject(collection)
    row = person if kind == "subjects" else make_face(collection, person)
    for deleted in ([str(row.id)], []):
        answer = _delete(api, collection, kind, ids=[str(row.id)] * 2)
        assert answer["deleted"] == deleted
        assert answer["not_found"] == ([] if deleted else [str(row.id)])


@pytest.mark.parametrize("kind", ["subjects", "faces"])
def test_what_another_collection_or_tenant_has_is_not_found_and_stays(
    api: Caller, stranger: Caller, collection: Collection, kind: str
) -> None:
    elsewhere = [make_collection(caller.tenant_id) for caller in (api, stranger)]
    rows: list[Any] = [make_subject(other) for other in elsewhere]
    if kind == "faces":
        rows = [make_face(*pair) for pair in zip(elsewhere, rows, strict=True)]
    ids = [str(row.id) for row in rows]

    assert _delete(api, collection, kind, ids=ids) == {"deleted": [], "not_found": ids}
    foreign = stranger.post(_path(collection, kind), json={"ids": ids})
    assert (foreign.status_code, foreign.get_json()["code"]) == (404, "not_found")
    for caller, other in zip((api, stranger), elsewhere, strict=True):
        people, faces, _ = _left(caller, other)
        assert len(people if kind == "subjects" else faces) == 1


def test_each_person_and_each_face_is_an_event_as_when_erased_alone(
    api: Caller, collection: Collection
) -> None:
    people = [make_subject(collection) for _ in range(2)]
    face, _ = make_face(collection, people[0]), make_face(collection, people[1])

    _delete(api, collection, "faces", ids=[str(face.id)])
    _delete(api, collection, "subjects", ids=[str(person.id) for person in people])

    events = api.get("/audit-events?limit=3").get_json()["data"]
    told = [(event["action"], event["target_id"], event["detail"]) for event in events]
    digest = {"image_sha256": face.image_sha256.hex()}
    assert told[2] == ("face.deleted", str(face.id), digest)
    assert {(action, target): detail["faces"] for action, target, detail in told[:2]} == {
        ("subject.deleted", str(people[0].id)): 0,
        ("subject.deleted", str(people[1].id)): 1,
    }


@pytest.mark.parametrize("kind", ["subjects", "faces"])
def test_a_key_needs_the_right_to_write_collections(
    api: Caller, collection: Collection, kind: str
) -> None:
    reader = api.with_scopes(Scope.COLLECTIONS_READ, Scope.JOBS_WRITE)
    response = reader.post(_path(collection, kind), json={"ids": [str(new_id())]})
    assert (response.status_code, response.get_json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("subjects", {}),
        ("subjects", {"ids": [], "external_ids": ["a"]}),
        ("subjects", {"ids": ["01990000-0000-7000-8000-000000000005"], "external_ids": ["a"]}),
        ("subjects", {"external_ids": [""]}),
        ("subjects", {"external_ids": ["a"] * (MOST_DELETED + 1)}),
        ("faces", {}),
        ("faces", {"ids": []}),
        ("faces", {"ids": ["ada"]}),
    ],
    ids=["neither", "empty", "both", "no name", "too many", "no faces", "no ids", "no id"],
)
def test_a_body_that_names_nobody_or_too_many_is_refused(
    api: Caller, collection: Collection, kind: str, body: dict[str, Any]
) -> None:
    response = api.post(_path(collection, kind), json=body)
    assert (response.status_code, response.get_json()["code"]) == (422, "validation_failed")


def test_a_thousand_people_go_in_one_call(api: Caller, collection: Collection) -> None:
    make_subject(collection, "person-7")
    answer = _delete(
        api, collection, "subjects", external_ids=[f"person-{n}" for n in range(MOST_DELETED)]
    )
    assert (answer["deleted"], len(answer["not_found"])) == (["person-7"], MOST_DELETED - 1)
