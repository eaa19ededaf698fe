from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.services.gallery import collections
from tests.factories.callers import Caller


def test_an_error_is_a_problem_document(client: FlaskClient) -> None:
    response = client.get("/api/v1/nowhere")
    assert response.status_code == 404
    assert response.content_type == "application/problem+json"
    problem = response.get_json()
    assert problem == {
        "type": "urn:facequeue:problem:not_found",
        "title": "There is no such resource",
        "status": 404,
        "detail": "There is no such resource",
        "code": "not_found",
        "errors": [],
        "request_id": response.headers["X-Request-Id"],
    }


def test_a_method_that_a_resource_lacks_names_those_it_has(client: FlaskClient) -> None:
    response = client.put("/api/v1/jobs")
    assert response.get_json()["code"] == "method_not_allowed"
    assert "POST" in response.headers["Allow"]


def test_each_wrong_field_is_pointed_at(api: Caller) -> None:
    body = {
        "operation": "guess",
        "items": [{"custom_id": "a", "image": 3}, {"custom_id": ""}],
        "options": {"top_k": 0},
        "surprise": 1,
    }
    response = api.post("/jobs", json=body)
    assert response.status_code == 422
    assert response.get_json()["code"] == "validation_failed"
    assert {error["pointer"] for error in response.get_json()["errors"]} == {
        "/operation",
        "/items/0/image",
        "/items/1/custom_id",
        "/options/top_k",
        "/surprise",
    }


def test_what_is_wrong_with_an_item_is_said_in_the_clients_words(api: Caller) -> None:
    items = [1, {"image": "s3://b/k"}, {"custom_id": "a", "image": "s3://b/k", "x": 1}]
    response = api.post("/jobs", json={"operation": "detect", "items": items})
    found = {error["pointer"]: error["detail"] for error in response.get_json()["errors"]}
    assert found == {
        "/items/0": "Not an object.",
        "/items/1/custom_id": "Missing data for required field.",
        "/items/2/x": 'Unknown field. (custom_id "a")',
    }


@pytest.mark.parametrize("image", [1, None])
def test_of_very_many_wrong_fields_the_first_are_shown(api: Caller, image: Any) -> None:
    items = [{"custom_id": str(number), "image": image} for number in range(1000)]
    response = api.post("/jobs", json={"operation": "detect", "items": items})
    pointers = [error["pointer"] for error in response.get_json()["errors"]]
    assert pointers == [f"/items/{number}/image" for number in range(20)]


def test_an_unknown_query_parameter_is_an_error(api: Caller) -> None:
    response = api.get("/jobs?stat=queued")
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["pointer"] == "/stat"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[NaN]",
        b"1e999",
        b"[" * 100_000,
        b"\xff",
        b'{"name": "\xed\xa0\x80"}',
        '{"name": "\\u0000"}'.encode("utf-16"),
    ],
)
def test_what_is_not_json_is_refused(api: Caller, body: bytes) -> None:
    response = api.post("/collections", data=body, content_type="application/json")
    assert response.status_code == 400
    assert response.get_json()["code"] == "bad_request"


def test_json_may_begin_with_a_byte_order_mark(api: Caller) -> None:
    body = '{"name": "a"}'.encode("utf-8-sig")
    assert api.post("/collections", data=body, content_type="application/json").status_code == 201


@pytest.mark.parametrize("levels", [33, 500, 900, 930, 960])
def test_metadata_that_nests_too_deep_is_refused(api: Caller, levels: int) -> None:
    body = '{"name": "a", "metadata": {"k": ' + "[" * levels + "]" * levels + "}}"
    response = api.post("/collections", data=body, content_type="application/json")
    assert response.status_code in {400, 422}
    assert api.post("/collections", json={"name": "b", "metadata": {"k": [[1]]}}).status_code == 201


@pytest.mark.parametrize("body", [b"[]", b"3", b'"text"', b"null"])
def test_json_that_is_no_object_is_refused(api: Caller, body: bytes) -> None:
    response = api.post("/collections", data=body, content_type="application/json")
    assert response.status_code == 422


def test_a_body_of_another_type_is_refused(api: Caller) -> None:
    response = api.post("/collections", data=b"name=a", content_type="text/plain")
    assert response.status_code == 415
    assert response.get_json()["code"] == "unsupported_media_type"


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800"])
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ('{"name": "a%s"}', "/name"),
        ('{"name": "a", "metadata": {"k": ["%s"]}}', "/metadata/k/0"),
        ('{"name": "a", "metadata": {"%s": 1}}', "/metadata"),
    ],
)
def test_text_that_postgres_cannot_hold_is_refused(
    api: Caller, text: str, body: str, pointer: str
) -> None:
    response = api.post("/collections", data=body % text, content_type="application/json")
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["pointer"] == pointer


def test_a_body_above_the_limit_is_refused_unread(app: Flask, api: Caller) -> None:
    size = app.config["MAX_CONTENT_LENGTH"] + 1
    response = api.post("/jobs", data=b" " * size, content_type="application/json")
    assert response.status_code == 413
    assert response.get_json()["code"] == "payload_too_large"


def test_an_unexpected_failure_tells_nothing_about_our_insides(
    api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(collections, "delete_collection", explode)
    created = api.post("/collections", json={"name": "a"}).get_json()
    response = api.delete(f"/collections/{created['id']}")
    assert response.status_code == 500
    assert response.get_json()["code"] == "internal_error"
    assert "hunter2" not in response.get_data(as_text=True)


def test_a_sane_request_id_is_kept(client: FlaskClient) -> None:
    response = client.get("/health/", headers={"X-Request-Id": "client-id-0001"})
    assert response.headers["X-Request-Id"] == "client-id-0001"


@pytest.mark.parametrize("presented", ["short", "has space in it", "x" * 129, '{"a": "b"}'])
def test_another_request_id_is_replaced(client: FlaskClient, presented: str) -> None:
    response = client.get("/health/", headers={"X-Request-Id": presented})
    assert response.headers["X-Request-Id"] != presented
