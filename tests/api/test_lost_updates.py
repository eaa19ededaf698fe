"""Two who change the same thing: neither undoes what the other did without knowing of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.factories.callers import BASE, Caller
from tests.factories.galleries import make_collection, make_face, make_subject

Make = Callable[[Caller, dict[str, Any]], TestResponse]


def _make_collection(api: Caller, metadata: dict[str, Any]) -> TestResponse:
    return api.post("/collections", json={"name": "staff", "metadata": metadata})


def _make_subject(api: Caller, metadata: dict[str, Any]) -> TestResponse:
    path = f"/collections/{make_collection(api.tenant_id).id}/subjects"
    return api.post(path, json={"external_id": "p-1", "metadata": metadata})


@pytest.fixture(params=[_make_collection, _make_subject], ids=["collection", "subject"])
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


def _path(made: TestResponse) -> str:
    return made.headers["Location"].removeprefix(BASE)


def _patch(api: Caller, path: str, metadata: Any, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.patch(path, json={"metadata": metadata}, headers=named)


def test_the_etag_is_the_same_wherever_the_row_is_shown(api: Caller, make: Make) -> None:
    made = make(api, {"k": 1.5, "nested": {"b": 1, "a": [None]}})
    path = _path(made)
    assert made.headers["ETag"] == api.get(path).headers["ETag"]
    changed = _patch(api, path, {"k": 2})
    assert changed.headers["ETag"] == api.get(path).headers["ETag"] != made.headers["ETag"]


def test_a_change_of_what_was_read_goes_through(api: Caller, make: Make) -> None:
    made = make(api, {})
    response = _patch(api, _path(made), {"k": 1}, If_Match=f'"other", {made.headers["ETag"]}')
    assert response.status_code == 200
    assert _patch(api, _path(made), {"k": 2}, If_Match="*").status_code == 200


@pytest.mark.parametrize("tag", ['"another"', "", "nonsense", "W/{}"])
def test_a_change_of_what_is_another_by_now_is_refused(api: Caller, make: Make, tag: str) -> None:
    made = make(api, {"k": 0})
    response = _patch(api, _path(made), {"k": 1}, If_Match=tag.format(made.headers["ETag"]))
    assert (response.status_code, response.get_json()["code"]) == (412, "precondition_failed")
    assert api.get(_path(made)).get_json()["metadata"] == {"k": 0}


def test_of_two_changes_at_once_one_is_refused(api: Caller, make: Make) -> None:
    made = make(api, {})
    ready = threading.Barrier(8)

    def change(number: int) -> int:
        ready.wait()
        etag = made.headers["ETag"]
        return _patch(api, _path(made), {"n": number}, If_Match=etag).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(change, range(8)))
    assert statuses == [200] + [412] * 7


def test_changes_of_different_members_at_once_all_stay(api: Caller, make: Make) -> None:
    made = make(api, {})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: _patch(api, _path(made), {f"n{n}": n}), range(8)))
    assert api.get(_path(made)).get_json()["metadata"] == {f"n{n}": n for n in range(8)}


@pytest.mark.parametrize("kind", ["application/json", "application/merge-patch+json"])
def test_metadata_is_merged_as_rfc_7396_says(api: Caller, make: Make, kind: str) -> None:
    made = make(api, {"title": "a", "author": {"given": "J", "family": "D"}, "tags": [1, 2]})
    patch = (
        '{"metadata": {"title": null, "author": {"family": null}, "tags": [3],'
        ' "new": {"b": null, "c": 1}}}'
    )
    changed = api.patch(_path(made), data=patch, content_type=kind).get_json()
    assert changed["metadata"] == {"author": {"given": "J"}, "tags": [3], "new": {"c": 1}}


def test_null_takes_all_metadata_away(api: Caller, make: Make) -> None:
    made = make(api, {"k": 1})
    assert _patch(api, _path(made), None).get_json()["metadata"] == {}


def test_what_metadata_grows_to_is_bounded_too(api: Caller, make: Make) -> None:
    made = make(api, {"k": "x" * 10_000})
    response = _patch(api, _path(made), {"l": "x" * 10_000})
    assert (response.status_code, response.get_json()["code"]) == (422, "validation_failed")
    assert response.get_json()["errors"][0]["pointer"] == "/metadata"


def test_faces_that_come_and_go_do_not_stand_in_the_way_of_a_change(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    path = f"/collections/{collection.id}"
    etag = api.get(path).headers["ETag"]
    face = make_face(collection, make_subject(collection))
    assert api.delete(f"{path}/faces/{face.id}").status_code == 204
    assert api.get(path).headers["ETag"] == etag


def test_an_etag_is_replayed_with_its_answer(api: Caller) -> None:
    def send() -> TestResponse:
        return api.post("/collections", json={"name": "a"}, headers={"Idempotency-Key": "k"})

    assert send().headers["ETag"] == send().headers["ETag"]


def test_the_document_tells_of_versions(api: Caller) -> None:
    paths = api.app.test_client().get(f"{BASE}/openapi.json").get_json()["paths"]
    for path in (
        "/collections/{collection_id}",
        "/collections/{collection_id}/subjects/{subject_id}",
    ):
        for call in ("get", "patch"):
            assert "ETag" in paths[BASE + path][call]["responses"]["200"]["headers"]
        assert "If-Match" in {p["name"] for p in paths[BASE + path]["patch"]["parameters"]}
