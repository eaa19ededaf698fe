from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import ValidationError, fields
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.api.job_items import ItemCreateSchema, ItemsField
from app.domain.job_request import ItemRequest
from app.web.auth import PUBLIC_ENDPOINTS
from tests.factories.callers import BASE, Caller
from tests.factories.jobs import PLACE, make_job


def _document(client: FlaskClient) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/api/v1/openapi.json").get_json()
    return document


def _calls(client: FlaskClient) -> Iterator[dict[str, Any]]:
    for path in _document(client)["paths"].values():
        yield from (call for method, call in path.items() if method != "parameters")


FOR_ANY_KEY = {"get_me", "get_limits"}


def test_the_document_is_valid_openapi_3_1(client: FlaskClient) -> None:
    document = _document(client)
    assert document["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_every_call_is_documented(app: Flask, client: FlaskClient) -> None:
    paths = _document(client)["paths"]
    for rule in app.url_map.iter_rules():
        if rule.endpoint in PUBLIC_ENDPOINTS or rule.endpoint == "static":
            continue
        documented = paths[re.sub(r"<(?:uuid|external_id):(\w+)>", r"{\1}", rule.rule)]
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            call = documented[method.lower()]
            assert call["summary"]
            scopes = [] if call["operationId"] in FOR_ANY_KEY else [call["x-required-scope"]]
            assert call["security"] == [{"bearer": scopes}]
            assert "default" in call["responses"]


def test_every_call_has_an_id_of_its_own(client: FlaskClient) -> None:
    ids = [call.get("operationId") for call in _calls(client)]
    assert None not in ids
    assert len(ids) == len(set(ids))


def test_two_lists_of_the_same_have_one_schema(client: FlaskClient) -> None:
    schemas = _document(client)["components"]["schemas"]
    assert [name for name in schemas if name.startswith("FacePage")] == ["FacePage"]


def test_every_body_and_answer_has_a_schema_and_an_example_of_it(client: FlaskClient) -> None:
    """An answer's example is held to the document as a client would: by its JSON Schema."""
    document = _document(client)
    for call in _calls(client):
        answers = [answer for status, answer in call["responses"].items() if status[0] == "2"]
        assert answers, call["operationId"]
        for body in [call.get("requestBody", {}), *answers]:
            for kind, media in body.get("content", {}).items():
                if kind in {"multipart/form-data", "application/octet-stream"}:
                    continue
                schema = {**media["schema"], "components": document["components"]}
                OAS31Validator(schema, format_checker=oas31_format_checker).validate(
                    media["example"]
                )


def test_only_an_answer_without_a_body_has_no_schema(client: FlaskClient) -> None:
    bare = {
        status
        for call in _calls(client)
        for status, answer in call["responses"].items()
        if "content" not in answer and "$ref" not in answer
    }
    assert bare == {"204", "304"}


def test_answers_may_gain_members_that_clients_pass_over(client: FlaskClient) -> None:
    schemas = _document(client)["components"]["schemas"]
    for name in ("Job", "JobPage", "Item", "FaceResult", "Collection", "Problem", "Attempt"):
        assert "additionalProperties" not in schemas[name], name
    assert schemas["JobCreate"]["additionalProperties"] is False


EVERYWHERE = {"X-Request-Id", "RateLimit", "RateLimit-Policy"}


def test_headers_that_clients_send_and_read_are_documented(client: FlaskClient) -> None:
    paths = _document(client)["paths"]
    submit, read = paths["/api/v1/jobs"]["post"], paths["/api/v1/jobs/{job_id}"]["get"]
    assert {p["name"] for p in submit["parameters"]} == {"Idempotency-Key", "Prefer"}
    assert set(submit["responses"]["202"]["headers"]) == EVERYWHERE | {
        "Location",
        "Retry-After",
        "Idempotent-Replayed",
        "Preference-Applied",
    }
    assert {p["name"] for p in read["parameters"]} == {"If-None-Match"}
    assert set(read["responses"]["200"]["headers"]) == EVERYWHERE | {"ETag", "Retry-After"}
    for path, call in ((p, c["get"]) for p, c in paths.items() if "get" in c):
        names = {p["name"] for p in call.get("parameters", ())}
        has_link = "Link" in call["responses"]["200"].get("headers", {})
        assert has_link == ("cursor" in names), path


def test_every_answer_documents_the_headers_that_every_answer_has(client: FlaskClient) -> None:
    document = _document(client)
    assert set(document["components"]["headers"]) >= EVERYWHERE
    for call in _calls(client):
        for status, answer in call["responses"].items():
            assert "$ref" in answer or set(answer["headers"]) >= EVERYWHERE, (call, status)
    for answer in document["components"]["responses"].values():
        assert set(answer["headers"]) >= EVERYWHERE | {"Retry-After", "WWW-Authenticate", "Allow"}


def test_what_is_made_and_can_be_read_says_where(client: FlaskClient) -> None:
    paths = _document(client)["paths"]
    readable = {path.rpartition("/")[0] for path, calls in paths.items() if "get" in calls}
    silent = {
        path
        for path, calls in paths.items()
        if "201" in calls.get("post", {}).get("responses", ())
        and "Location" not in calls["post"]["responses"]["201"]["headers"]
    }
    keys = {"/api/v1/api-keys", "/api/v1/api-keys/{key_id}/rotate"}
    assert silent == {"/api/v1/images", *keys}
    assert not silent & readable


def test_no_answer_carries_a_header_that_the_document_does_not_know(api: Caller) -> None:
    paths = _document(api.app.test_client())["paths"]
    made = api.post("/collections", json={"name": "a"}, headers={"Idempotency-Key": "k"})
    collection = "/api/v1/collections/{collection_id}"
    job = api.post(
        "/jobs",
        json={"operation": "detect", "items": [{"custom_id": "a", "image": f"{PLACE}a.jpg"}]},
        headers={"Prefer": "wait=1"},
    )
    own = made.headers["Location"].removeprefix(BASE)
    answers = [
        ("/api/v1/collections", "post", made),
        (collection, "get", api.get(own)),
        (collection, "patch", api.patch(own, json={"name": "b"})),
        ("/api/v1/collections", "get", api.get("/collections?limit=1")),
        ("/api/v1/jobs", "post", job),
        (collection, "delete", api.delete(own)),
    ]
    for path, method, answer in answers:
        documented = paths[path][method]["responses"][str(answer.status_code)]
        assert set(answer.headers.keys()) - _OF_HTTP <= set(documented["headers"]), (path, method)


# What RFC 9110 and its kin say of every answer.
_OF_HTTP = {
    "Cache-Control",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "Vary",
    "X-Content-Type-Options",
}


def test_each_enum_is_a_schema_with_a_name(client: FlaskClient) -> None:
    """Give the field `metadata={"title": …}`: an inline enum is a type of its own at each place."""
    document = _document(client)
    inline = [place for place, schema in _schemas(document) if "enum" in schema and "/" in place]
    assert inline == []
    schemas = document["components"]["schemas"]
    assert schemas["Rotation"] == {"type": "string", "enum": ["off", "gated", "full"]}
    assert schemas["JobOptions"]["properties"]["rotation"]["anyOf"] == [
        {"$ref": "#/components/schemas/Rotation"},
        {"type": "null"},
    ]


def _schemas(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema with its place; of a component, its name."""

    def within(place: str, value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(value, dict):
            yield place, value
        steps = value.items() if isinstance(value, dict) else enumerate(value)
        for step, inner in steps:
            if isinstance(inner, dict | list):
                yield from within(f"{place}/{step}", inner)

    for name, schema in document["components"]["schemas"].items():
        yield from within(name, schema)
    yield from within("/paths", document["paths"])


def test_links_lead_to_calls_and_fill_their_paths(client: FlaskClient) -> None:
    calls = {
        call["operationId"]: (set(re.findall(r"\{(\w+)\}", path)), call)
        for path, methods in _document(client)["paths"].items()
        for method, call in methods.items()
        if method != "parameters"
    }
    links = [
        link
        for _, call in calls.values()
        for answer in call["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert links
    for link in links:
        assert set(link["parameters"]) == calls[link["operationId"]][0], link


def test_a_stream_has_a_media_type_that_generated_clients_know(client: FlaskClient) -> None:
    calls = {call["operationId"]: call for call in _calls(client)}
    content = calls["export_job"]["responses"]["200"]["content"]
    assert list(content) == ["application/jsonl", "application/octet-stream"]
    assert content["application/octet-stream"]["schema"] == {"type": "string", "format": "binary"}


@pytest.mark.parametrize("accepted", ["application/jsonl", "application/octet-stream"])
def test_results_are_sent_in_either_type_that_is_documented(api: Caller, accepted: str) -> None:
    job = make_job(api.tenant_id)
    path = f"/jobs/{job}/results.jsonl"
    assert api.get(path, headers={"Accept": accepted}).mimetype == accepted
    assert api.get(path, headers={"Accept": "*/*"}).mimetype == "application/jsonl"


def test_no_parameter_offers_a_null_that_a_query_cannot_say(client: FlaskClient) -> None:
    for call in _calls(client):
        for parameter in call.get("parameters", ()):
            schema = parameter["schema"]
            assert "anyOf" not in schema, parameter["name"]
            assert "null" not in schema.get("type", ()), parameter["name"]


def test_no_inline_object_takes_the_name_of_another_schema(client: FlaskClient) -> None:
    """Generated clients name inline objects after where they stand, and drop what collides."""
    schemas = _document(client)["components"]["schemas"]
    for name, schema in schemas.items():
        for member, described in schema.get("properties", {}).items():
            if described.get("type") == "object":
                assert name + member.title().replace("_", "") not in schemas


def test_keys_and_problems_are_declared(client: FlaskClient) -> None:
    document = _document(client)
    assert document["security"] == [{"bearer": []}]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    error = document["components"]["responses"]["DEFAULT_ERROR"]
    assert "application/problem+json" in error["content"]


def test_the_documented_item_is_the_item_that_is_read() -> None:
    documented = ItemCreateSchema().fields
    assert set(documented) == {field.name for field in dataclasses.fields(ItemRequest)}
    filled = {"custom_id": "c", "image": "i", "subject": "s", "reference": "r"}
    (read,) = ItemsField().deserialize([filled])
    assert read == ItemRequest(**filled)
    for name, field in documented.items():
        (wrong,) = _errors_of({**filled, name: 1})
        assert name in wrong
        for length in field.validators:
            assert _errors_of({**filled, name: "x" * length.max}) == []
            assert _errors_of({**filled, name: "x" * (length.max + 1)})
        if isinstance(field, fields.String) and not (field.validators or name == "image_id"):
            assert _errors_of({**filled, name: ""}) == []
            assert _errors_of({**filled, name: "x" * 9999}) == []


def test_the_docs_page_loads_nothing_from_elsewhere(client: FlaskClient) -> None:
    response = client.get("/api/v1/docs")
    html = response.get_data(as_text=True)
    assert response.status_code == 200
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    sources = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert len(sources) == 4
    for source in sources:
        assert "//" not in source
        assert client.get(f"/api/v1/{source}").status_code == 200


def test_an_asset_cannot_leave_its_folder(client: FlaskClient) -> None:
    for name in ("../__init__.py", "%2e%2e/__init__.py", "nothing.js"):
        assert client.get(f"/api/v1/docs/assets/{name}").status_code == 404


def _errors_of(item: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        ItemsField().deserialize([item])
    except ValidationError as error:
        return list(error.messages_dict.values())
    return []
