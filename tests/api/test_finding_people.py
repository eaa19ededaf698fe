"""People are found by the ids that clients know them by, and by what they keep with them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from app.models.collection import Collection
from tests.factories.callers import Caller
from tests.factories.galleries import make_collection, make_face, make_subject


@pytest.fixture
def collection(api: Caller) -> Collection:
    """A collection without anybody."""
    return make_collection(api.tenant_id)


def test_a_person_is_found_by_the_external_id(api: Caller, collection: Collection) -> None:
    subject, _other = make_subject(collection, "Jos\u00e9"), make_subject(collection, "Jos")
    make_subject(make_collection(api.tenant_id), "Jos\u00e9")
    for typed in ("Jos\u00e9", "Jose\u0301"):
        assert _found(api, collection, external_id=typed) == [str(subject.id)]
    assert _found(api, collection, external_id="jos\u00e9") == []


def test_people_are_found_by_what_their_metadata_hold(api: Caller, collection: Collection) -> None:
    path = f"/collections/{collection.id}/subjects"
    night, day = (
        api.post(path, json={"external_id": team, "metadata": {"team": team, "at": [1, 2]}})
        for team in ("night", "day")
    )
    assert _found(api, collection, metadata='{"team": "night"}') == [night.get_json()["id"]]
    assert _found(api, collection, metadata='{"at": [2]}') == [
        day.get_json()["id"],
        night.get_json()["id"],
    ]
    assert _found(api, collection, metadata='{"team": "dusk"}') == []
    assert _found(api, collection, metadata='{"team": "day"}', external_id="night") == []


@pytest.mark.parametrize("wanted", ["", "x", "[]", "1", '{"a": NaN}', '{"a": "\\u0000"}'])
def test_a_metadata_filter_that_is_no_object_is_refused(
    api: Caller, collection: Collection, wanted: str
) -> None:
    response = api.get(f"/collections/{collection.id}/subjects", query_string={"metadata": wanted})
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["pointer"] == "/metadata"


@pytest.mark.parametrize("field", ["external_id", "name"])
def test_a_filter_that_is_no_text_is_refused(
    api: Caller, collection: Collection, field: str
) -> None:
    path = "/collections" if field == "name" else f"/collections/{collection.id}/subjects"
    assert api.get(path, query_string={field: "a\0"}).status_code == 422


@pytest.mark.parametrize(
    "external_id", ["ada", "a/b", "/a", "a/", "a//b", "a b", "a?b#c", "100%", "%2F", "é", "../a"]
)
def test_a_person_is_read_changed_and_erased_by_the_external_id(
    api: Caller, collection: Collection, external_id: str
) -> None:
    subject, other = make_subject(collection, external_id), make_subject(collection)
    path = _path(collection, external_id)
    read = api.get(path)
    assert read.get_json()["id"] == str(subject.id)
    changed = api.patch(
        path, json={"metadata": {"k": 1}}, headers={"If-Match": read.headers["ETag"]}
    )
    assert changed.get_json()["metadata"] == {"k": 1}
    stale = api.patch(path, json={"metadata": {}}, headers={"If-Match": read.headers["ETag"]})
    assert stale.status_code == 412
    make_face(collection, subject)
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404
    assert api.get(f"/collections/{collection.id}").get_json()["face_count"] == 0
    assert api.get(_path(collection, other.external_id)).status_code == 200


def test_the_external_id_in_a_path_may_have_either_form(
    api: Caller, collection: Collection
) -> None:
    subject = make_subject(collection, "Jos\u00e9")
    assert api.get(_path(collection, "Jose\u0301")).get_json()["id"] == str(subject.id)


def test_an_external_id_of_nobody_is_not_found(api: Caller, collection: Collection) -> None:
    make_subject(make_collection(api.tenant_id), "ada")
    for external_id in ("ada", "a\0", "x" * 300):
        assert api.get(_path(collection, external_id)).status_code == 404


@pytest.mark.parametrize("external_id", ["ada", "a/b"])
def test_the_faces_of_a_person_are_listed_by_the_external_id(
    api: Caller, collection: Collection, external_id: str
) -> None:
    subject = make_subject(collection, external_id)
    face = make_face(collection, subject)
    make_face(collection, make_subject(collection))
    listed = api.get(f"{_path(collection, external_id)}/faces").get_json()["data"]
    assert [one["id"] for one in listed] == [str(face.id)]
    assert _newest_event(api) == ("subject.faces_read", str(subject.id), {"faces": 1})


def test_the_faces_of_a_collection_are_listed_and_the_reading_is_audited(
    api: Caller, collection: Collection
) -> None:
    subject = make_subject(collection)
    faces = [make_face(collection, whose) for whose in (subject, None, subject)]
    make_face(elsewhere := make_collection(api.tenant_id), make_subject(elsewhere))
    page = api.get(f"/collections/{collection.id}/faces?limit=2")
    assert [(face["id"], face["subject_id"]) for face in page.get_json()["data"]] == [
        (str(faces[2].id), str(subject.id)),
        (str(faces[1].id), None),
    ]
    assert _newest_event(api) == ("collection.faces_read", str(collection.id), {"faces": 2})
    cursor = page.get_json()["next_cursor"]
    rest = api.get(f"/collections/{collection.id}/faces?limit=2&cursor={cursor}").get_json()
    assert [face["id"] for face in rest["data"]] == [str(faces[0].id)]


def test_a_collection_is_found_by_its_name(api: Caller, stranger: Caller) -> None:
    named = make_collection(api.tenant_id, name="Jos\u00e9")
    make_collection(api.tenant_id)
    make_collection(stranger.tenant_id, name="Jos\u00e9")
    for typed in ("Jos\u00e9", "Jose\u0301"):
        listed = api.get("/collections", query_string={"name": typed}).get_json()["data"]
        assert [one["id"] for one in listed] == [str(named.id)]


def test_lists_are_read_from_either_end(api: Caller, collection: Collection) -> None:
    subject = make_subject(collection)
    for _ in range(3):
        make_face(collection, make_subject(collection))
        make_face(collection, subject)
        make_collection(api.tenant_id)
    people = f"/collections/{collection.id}/subjects"
    for path in (
        "/collections",
        people,
        f"{people}/{subject.id}/faces",
        f"{people}/by-external-id/{subject.external_id}/faces",
        f"/collections/{collection.id}/faces",
        "/api-keys",
    ):
        newest_first = _all(api, path)
        assert len(newest_first) > (path != "/api-keys"), path
        assert newest_first == sorted(newest_first, reverse=True), path
        assert _all(api, path, order="desc") == newest_first, path
        assert _all(api, path, order="asc") == newest_first[::-1], path
    events = _all(api, "/audit-events", order="asc")
    assert len(events) > 2
    assert events == sorted(events)


def test_a_cursor_belongs_to_its_order(api: Caller) -> None:
    for _ in range(2):
        make_collection(api.tenant_id)
    cursor = api.get("/collections?limit=1&order=asc").get_json()["next_cursor"]
    assert api.get(f"/collections?limit=1&cursor={cursor}").status_code in {400, 422}


def test_an_order_that_there_is_not_is_refused(api: Caller) -> None:
    assert api.get("/collections?order=up").status_code == 422


def _path(collection: Collection, external_id: str) -> str:
    return f"/collections/{collection.id}/subjects/by-external-id/{quote(external_id, safe='')}"


def _found(api: Caller, collection: Collection, **filters: str) -> list[str]:
    listed = api.get(f"/collections/{collection.id}/subjects", query_string=filters).get_json()
    return [person["id"] for person in listed["data"]]


def _newest_event(api: Caller) -> tuple[str, str, dict[str, Any]]:
    (event,) = api.get("/audit-events?limit=1").get_json()["data"]
    return event["action"], event["target_id"], event["detail"]


def _all(api: Caller, path: str, **query: str) -> list[str]:
    """The ids of a list, page by page."""
    ids: list[str] = []
    asked = {"limit": "2", **query}
    while True:
        page = api.get(path, query_string=asked).get_json()
        ids += [row["id"] for row in page["data"]]
        if page["next_cursor"] is None:
            return ids
        asked["cursor"] = page["next_cursor"]
