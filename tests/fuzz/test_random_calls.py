"""Whatever a client sends, the answer is never our failure, and an error is a problem document.

FUZZ_EXAMPLES=10000 makes a long run of it.
"""

from __future__ import annotations

import json
import os
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.routing import Rule

from app.api.job_items import ItemCreateSchema
from app.api.schemas.api_keys import ApiKeyCreateSchema
from app.api.schemas.collections import CollectionCreateSchema
from app.api.schemas.jobs import JobCreateSchema, JobOptionsSchema
from app.api.schemas.subjects import SubjectCreateSchema
from app.api.schemas.webhook_endpoints import EndpointUpdateSchema
from app.domain.names import Scope
from app.domain.states import EventType, ItemState, JobState, Operation
from app.web.auth import PUBLIC_ENDPOINTS
from tests.factories.callers import BASE, Caller
from tests.factories.galleries import make_collection, make_face, make_subject
from tests.factories.jobs import PLACE, close_item, make_job

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "300"))

_SCHEMAS = (
    CollectionCreateSchema,
    SubjectCreateSchema,
    JobCreateSchema,
    JobOptionsSchema,
    ItemCreateSchema,
    ApiKeyCreateSchema,
    EndpointUpdateSchema,
)
_FIELDS = sorted({name for schema in _SCHEMAS for name in schema().fields})
_WORDS = [
    *(word for kind in (Operation, JobState, ItemState, Scope, EventType) for word in kind),
    f"{PLACE}a.jpg",
    "s3://",
    "https://example.org/hook",
    "http://[::1",
    "SFace",
    "2099-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "\0",
    "\ud800",
    "x" * 300,
]

_numbers = st.integers() | st.floats() | st.sampled_from([0, 1, -1, 200, 2**31, 2**63, 10**400])
_scalars = st.none() | st.booleans() | _numbers | st.text(max_size=20) | st.sampled_from(_WORDS)
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_FIELDS) | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=12,
)
_objects = st.dictionaries(st.sampled_from(_FIELDS), _values, max_size=8)
_items = st.lists(
    st.fixed_dictionaries(
        {"custom_id": st.text(min_size=1, max_size=3)},
        optional={"image": st.just(f"{PLACE}a.jpg") | _scalars, "subject": st.text(max_size=5)},
    ),
    max_size=3,
)
_jobs = st.fixed_dictionaries(
    {"operation": st.sampled_from([operation.value for operation in Operation]), "items": _items},
    optional={"options": _objects, "metadata": _objects, "collection_id": _scalars},
)


def _written(value: Any, encoding: str) -> bytes:
    """JSON as a client might write it; half a surrogate pair goes in as it is."""
    return json.dumps(value, ensure_ascii=encoding == "ascii").encode(encoding, "surrogatepass")


# Bodies that are right but for a text, which then may reach the database.
_texts = st.text(st.characters(exclude_categories=()), min_size=1, max_size=3) | st.sampled_from(
    ["\0", "\ud800", "a\udfff", "\ufffe", "\U0010ffff"]
)
_nearly_right = st.one_of(
    st.fixed_dictionaries({"name": _texts}),
    st.fixed_dictionaries({"external_id": _texts}),
    st.fixed_dictionaries({"metadata": st.dictionaries(_texts, _texts, max_size=2)}),
    st.fixed_dictionaries({"name": _texts, "scopes": st.just([Scope.JOBS_READ])}),
    st.fixed_dictionaries({"url": st.just("https://example.org/h"), "description": _texts}),
    st.fixed_dictionaries(
        {
            "operation": st.just("detect"),
            "items": st.tuples(
                st.fixed_dictionaries({"custom_id": _texts, "image": st.just(f"{PLACE}a.jpg")})
            ),
        }
    ),
)
_encodings = st.sampled_from(["ascii", "utf-8", "utf-16", "utf-32"])
_deep = st.integers(1, 1100).map(
    lambda levels: b'{"name": "a", "metadata": {"k": ' + b"[" * levels + b"]" * levels + b"}}"
)
_bodies = (
    st.builds(_written, _objects | _jobs | _values | _nearly_right, _encodings)
    | _deep
    | st.binary(max_size=40)
)
_headers = st.fixed_dictionaries(
    {},
    optional={
        "Content-Type": st.sampled_from(["application/json", "text/plain", "multipart/form-data"]),
        "Idempotency-Key": st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=9),
        "Prefer": st.sampled_from(["wait=0", "wait=x", "wait", "=;,"]),
        "If-None-Match": st.sampled_from(['"x"', "*", "W/", ","]),
        "X-Request-Id": st.sampled_from(["a" * 10, "b b", "ü"]),
    },
)
_queries = st.dictionaries(
    st.sampled_from(["limit", "cursor", "state", "operation", "x"]),
    st.text(max_size=8) | st.sampled_from(["1", "queued", "failed", "detect"]),
    max_size=3,
)


@pytest.fixture
def ids(api: Caller) -> dict[str, UUID]:
    """Ids of rows that are there, until a generated call deletes them."""
    collection = make_collection(api.tenant_id)
    subject = make_subject(collection)
    job_id = make_job(api.tenant_id, items=2)
    close_item(job_id, 0, faces=[{}])
    return {
        "collection_id": collection.id,
        "subject_id": subject.id,
        "face_id": make_face(collection, subject).id,
        "job_id": job_id,
    }


def test_no_call_makes_the_service_fail(app: Flask, api: Caller, ids: dict[str, UUID]) -> None:
    rules = [
        rule
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(BASE) and rule.endpoint not in PUBLIC_ENDPOINTS
    ]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.data())
    def calls(data: st.DataObject) -> None:
        rule: Rule = data.draw(st.sampled_from(rules))
        _call(app, api, ids, rule, data)

    calls()


def _call(app: Flask, api: Caller, ids: dict[str, UUID], rule: Rule, data: st.DataObject) -> None:
    method = data.draw(st.sampled_from(sorted((rule.methods or set()) - {"OPTIONS"})))
    values = {
        name: data.draw(st.uuids() | st.just(ids.get(name, UUID(int=0)))) for name in rule.arguments
    }
    with app.test_request_context():
        url = app.url_for(rule.endpoint, **values)
    request: dict[str, Any] = {"headers": data.draw(_headers), "query_string": data.draw(_queries)}
    if method in {"POST", "PATCH"}:
        request["data"] = data.draw(_bodies)
    response = api.send(method, url.removeprefix(BASE), **request)
    assert response.status_code < 500, response.get_data(as_text=True)
    if response.status_code >= 400 and method != "HEAD":
        assert response.content_type == "application/problem+json"
        assert response.get_json()["code"]
