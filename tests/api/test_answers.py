"""What HTTP promises of every answer: HEAD, packed bodies, and pages of other origins."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app import create_app
from app.config import Settings
from tests.factories.callers import BASE, Caller
from tests.factories.galleries import make_collection, make_subject
from tests.factories.jobs import close_item, make_job

PACKED = {"Accept-Encoding": "gzip"}
ORIGIN = "https://console.example.com"


def _readable(app: Flask) -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.endpoint not in {"static", "docs.asset"}:
            yield rule


def test_head_answers_as_get_does_without_the_body(app: Flask, api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    ids: dict[str, UUID] = {
        "collection_id": collection.id,
        "subject_id": make_subject(collection).id,
        "job_id": make_job(api.tenant_id),
    }
    client, key = app.test_client(), {"Authorization": f"Bearer {api.key}"}
    changing = {"X-Request-Id", "RateLimit", "Content-Length"}  # health and metrics change
    for rule in _readable(app):
        values = {name: ids.get(name, UUID(int=0)) for name in rule.arguments}
        with app.test_request_context():
            url = app.url_for(rule.endpoint, **values)
        got, head = client.get(url, headers=key), client.head(url, headers=key)
        assert head.status_code == got.status_code, url
        assert head.data == b"", url
        assert set(head.headers.keys()) == set(got.headers.keys()), url
        for name in set(head.headers.keys()) - changing:
            assert head.headers[name] == got.headers[name], (url, name)


def test_a_large_answer_is_packed_for_who_reads_it(api: Caller) -> None:
    for number in range(10):
        api.post("/collections", json={"name": f"c{number}"})
    plain, packed = api.get("/collections"), api.get("/collections", headers=PACKED)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) == int(packed.headers["Content-Length"]) < len(plain.data) / 2
    assert gzip.decompress(packed.data) == plain.data
    for answer in (plain, packed):
        assert "Accept-Encoding" in answer.headers["Vary"]


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "br", "*"])
def test_an_answer_is_not_packed_for_who_may_not_read_it(api: Caller, accepted: str) -> None:
    response = api.app.test_client().get(
        f"{BASE}/openapi.json", headers={"Accept-Encoding": accepted}
    )
    assert "Content-Encoding" not in response.headers
    assert response.get_json()["openapi"]


def test_a_small_answer_is_not_worth_packing(api: Caller) -> None:
    assert "Content-Encoding" not in api.get("/collections", headers=PACKED).headers


def test_results_are_streamed_as_they_are(api: Caller) -> None:
    job = make_job(api.tenant_id, items=20)
    for seq in range(20):
        close_item(job, seq, faces=[{}])
    response = api.get(f"/jobs/{job}/results.jsonl", headers=PACKED)
    assert "Content-Encoding" not in response.headers
    assert len(response.get_data(as_text=True).splitlines()) == 20


def test_a_file_is_sent_as_it_is(api: Caller) -> None:
    path = f"{BASE}/docs/assets/swagger-ui.css"
    response = api.app.test_client().get(path, headers=PACKED)
    assert response.status_code == 200
    assert "Content-Encoding" not in response.headers


def test_a_large_refusal_is_packed_too(api: Caller) -> None:
    body = {f"x{n}": 0 for n in range(100)}
    response = api.post("/collections", json=body, headers=PACKED)
    assert response.status_code == 422
    assert b"validation_failed" in gzip.decompress(response.data)


def test_what_has_not_changed_has_not_changed_packed_either(api: Caller) -> None:
    for _ in range(5):
        make_job(api.tenant_id)
    etag = api.get("/jobs", headers=PACKED).headers["ETag"]
    again = api.get("/jobs", headers={**PACKED, "If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    assert api.get("/jobs", headers={"If-None-Match": etag}).status_code == 304


@pytest.fixture(scope="module")
def open_app(settings: Settings) -> Flask:
    """The application with pages of one other origin let in."""
    return create_app(settings.model_copy(update={"cors_allowed_origins": (ORIGIN,)}))


def _preflight(open_app: Flask, path: str, origin: str, method: str, headers: str) -> TestResponse:
    return open_app.test_client().options(
        BASE + path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": headers,
        },
    )


@pytest.mark.parametrize(
    ("path", "method", "headers"),
    [
        ("/jobs", "POST", "authorization, content-type, idempotency-key, prefer"),
        (f"/collections/{UUID(int=1)}", "PATCH", "authorization, content-type, if-match"),
        (f"/collections/{UUID(int=1)}", "DELETE", "authorization, x-request-id"),
        ("/jobs", "GET", "authorization, if-none-match"),
        ("/jobs?validate_only=true", "POST", "authorization, content-type"),
        (f"/jobs/{UUID(int=1)}/redrive", "POST", "authorization, idempotency-key, prefer"),
        ("/images", "POST", "authorization, content-encoding"),
    ],
)
def test_a_page_of_an_allowed_origin_may_make_every_call(
    open_app: Flask, path: str, method: str, headers: str
) -> None:
    response = _preflight(open_app, path, ORIGIN, method, headers)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert method in response.headers["Access-Control-Allow-Methods"].split(", ")
    allowed = response.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert set(headers.split(", ")) <= set(allowed)
    assert response.headers["Access-Control-Max-Age"] == "600"


def test_no_other_header_and_no_other_origin_is_let_in(open_app: Flask) -> None:
    response = _preflight(open_app, "/jobs", ORIGIN, "POST", "x-anything")
    assert "Access-Control-Allow-Headers" not in response.headers
    response = _preflight(open_app, "/jobs", "https://evil.example", "POST", "authorization")
    assert "Access-Control-Allow-Origin" not in response.headers


def test_an_allowed_page_reads_refusals_too(open_app: Flask) -> None:
    response = open_app.test_client().get(f"{BASE}/jobs", headers={"Origin": ORIGIN})
    assert response.status_code == 401
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "X-Request-Id" in response.headers["Access-Control-Expose-Headers"]
