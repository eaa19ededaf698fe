from __future__ import annotations

from typing import Any

import pytest

from app.domain.model_registry import load_registry
from tests.factories.callers import Caller
from tests.factories.galleries import make_collection, make_face, make_subject

SFACE = load_registry().model("SFace")


def test_a_new_collection_is_bound_to_the_default_model_and_its_threshold(api: Caller) -> None:
    response = api.post("/collections", json={"name": "staff"})
    assert response.status_code == 201
    collection = response.get_json()
    assert collection["model"] == SFACE.identity
    assert collection["dimensions"] == 128
    assert collection["threshold"] == SFACE.default_threshold
    assert collection["target_fpir"] is None
    assert collection["face_count"] == 0
    assert collection["created_at"].endswith("Z")
    assert api.get(f"/collections/{collection['id']}").get_json() == collection


def test_a_target_fpir_replaces_the_threshold(api: Caller) -> None:
    collection = api.post("/collections", json={"name": "a", "target_fpir": 0.01}).get_json()
    assert (collection["threshold"], collection["target_fpir"]) == (None, 0.01)
    path = f"/collections/{collection['id']}"
    changed = api.patch(path, json={"threshold": 0.5}).get_json()
    assert (changed["threshold"], changed["target_fpir"]) == (0.5, None)


def test_both_rules_at_once_are_refused(api: Caller) -> None:
    both = {"threshold": 0.4, "target_fpir": 0.01}
    for response in (
        api.post("/collections", json={"name": "a", **both}),
        api.patch(f"/collections/{make_collection(api.tenant_id).id}", json=both),
    ):
        assert response.status_code == 422
        assert len(response.get_json()["errors"]) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 1.5},
        {"threshold": "NaN"},
        {"threshold": None},
        {"target_fpir": 0},
        {"target_fpir": 1},
        {"name": ""},
        {"name": "x" * 201},
        {"metadata": {"long": "x" * 20_000}},
        {"model": "ArcFace"},
    ],
)
def test_a_value_out_of_range_is_pointed_at(api: Caller, wrong: dict[str, Any]) -> None:
    response = api.post("/collections", json={"name": "a", **wrong})
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["pointer"] == f"/{next(iter(wrong))}"


def test_a_model_that_is_not_offered_is_an_error_of_its_own(api: Caller) -> None:
    response = api.post("/collections", json={"name": "a", "model": "Nobody"})
    assert response.status_code == 422
    assert response.get_json()["code"] == "model_unavailable"


def test_a_name_is_taken_once_in_a_tenant(api: Caller, stranger: Caller) -> None:
    api.post("/collections", json={"name": "staff"})
    again = api.post("/collections", json={"name": "staff"})
    assert (again.status_code, again.get_json()["code"]) == (409, "already_exists")
    assert stranger.post("/collections", json={"name": "staff"}).status_code == 201
    other = make_collection(api.tenant_id)
    assert api.patch(f"/collections/{other.id}", json={"name": "staff"}).status_code == 409


def test_a_change_leaves_what_it_does_not_name(api: Caller) -> None:
    created = api.post("/collections", json={"name": "a", "metadata": {"k": 1}}).get_json()
    changed = api.patch(f"/collections/{created['id']}", json={"name": "b"}).get_json()
    assert changed["updated_at"] > created["updated_at"]
    assert {**changed, "updated_at": ""} == {**created, "name": "b", "updated_at": ""}


def test_the_model_of_a_collection_cannot_change(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    response = api.patch(f"/collections/{collection.id}", json={"model": "SFace"})
    assert response.get_json()["errors"][0]["pointer"] == "/model"


def test_deleting_erases_subjects_and_faces(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    subject = make_subject(collection)
    make_face(collection, subject)
    assert api.delete(f"/collections/{collection.id}").status_code == 204
    assert api.get(f"/collections/{collection.id}").status_code == 404
    assert api.get(f"/collections/{collection.id}/subjects/{subject.id}").status_code == 404


def test_an_id_that_is_no_uuid_is_not_found(api: Caller) -> None:
    assert api.get("/collections/staff").get_json()["code"] == "not_found"
