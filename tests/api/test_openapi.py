from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from marshmallow import ValidationError, fields
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.api.job_items import ItemCreateSchema, ItemsField
from app.domain.job_request import ItemRequest
from app.web.auth import PUBLIC_ENDPOINTS


def _document(client: FlaskClient) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/api/v1/openapi.json").get_json()
    return document


def _calls(client: FlaskClient) -> Iterator[dict[str, Any]]:
    for path in _document(client)["paths"].values():
        yield from (call for method, call in path.items() if method != "parameters")


def test_the_document_is_valid_openapi_3_1(client: FlaskClient) -> None:
    document = _document(client)
    assert document["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_every_call_is_documented(app: Flask, client: FlaskClient) -> None:
    paths = _document(client)["paths"]
    for rule in app.url_map.iter_rules():
        if rule.endpoint in PUBLIC_ENDPOINTS or rule.endpoint == "static":
            continue
        documented = paths[re.sub(r"<uuid:(\w+)>", r"{\1}", rule.rule)]
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            call = documented[method.lower()]
            assert call["summary"]
            assert call["security"] == [{"bearer": [call["x-required-scope"]]}]
            assert "default" in call["responses"]


def test_every_call_has_an_id_of_its_own(client: FlaskClient) -> None:
    ids = [call.get("operationId") for call in _calls(client)]
    assert None not in ids
    assert len(ids) == len(set(ids))


def test_every_body_and_answer_has_a_schema_and_an_example_of_it(client: FlaskClient) -> None:
    """An answer's example is held to the document as a client would: by its JSON Schema."""
    document = _document(client)
    for call in _calls(client):
        answers = [answer for status, answer in call["responses"].items() if status[0] == "2"]
        assert answers, call["operationId"]
        for body in [call.get("requestBody", {}), *answers]:
            for kind, media in body.get("content", {}).items():
                if kind == "multipart/form-data":
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


def test_headers_that_clients_send_and_read_are_documented(client: FlaskClient) -> None:
    paths = _document(client)["paths"]
    submit, read = paths["/api/v1/jobs"]["post"], paths["/api/v1/jobs/{job_id}"]["get"]
    assert {p["name"] for p in submit["parameters"]} == {"Idempotency-Key", "Prefer"}
    assert set(submit["responses"]["202"]["headers"]) == {"Location", "Retry-After"}
    assert {p["name"] for p in read["parameters"]} == {"If-None-Match"}
    assert set(read["responses"]["200"]["headers"]) == {"ETag", "Retry-After"}
    for path, call in ((p, c["get"]) for p, c in paths.items() if "get" in c):
        names = {p["name"] for p in call.get("parameters", ())}
        has_link = "Link" in call["responses"]["200"].get("headers", {})
        assert has_link == ("cursor" in names), path


def test_no_parameter_offers_a_null_that_a_query_cannot_say(client: FlaskClient) -> None:
    for call in _calls(client):
        for parameter in call.get("parameters", ()):
            assert "null" not in parameter["schema"]["type"], parameter["name"]


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
        if isinstance(field, fields.String) and not isinstance(field, fields.UUID):
            (length,) = field.validators
            assert _errors_of({**filled, name: "x" * length.max}) == []
            assert _errors_of({**filled, name: "x" * (length.max + 1)})


def test_the_docs_page_loads_nothing_from_elsewhere(client: FlaskClient) -> None:
    response = client.get("/api/v1/docs")
    html = response.get_data(as_text=True)
    assert response.status_code == 200
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    sources = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert len(sources) == 3
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
