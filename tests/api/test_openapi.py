from __future__ import annotations

import dataclasses
import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from marshmallow import ValidationError, fields
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.api.auth import PUBLIC_ENDPOINTS
from app.api.job_items import ItemCreateSchema, ItemsField
from app.domain.job_request import ItemRequest


def _document(client: FlaskClient) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/api/v1/openapi.json").get_json()
    return document


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
            assert call["x-required-scope"]
            assert "default" in call["responses"]


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
