"""However bad a body is, refusing it is little work: lengths first, elements after."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from marshmallow import Schema, ValidationError, fields

from app.api import job_items
from app.api.job_items import ItemsField
from app.api.schemas.api_keys import ApiKeyCreateSchema, ApiKeyRotateSchema
from app.api.schemas.collections import CollectionCreateSchema, CollectionUpdateSchema
from app.api.schemas.images import ImagePresignSchema, ImagesDeleteSchema
from app.api.schemas.jobs import JobCreateSchema, JobOptionsSchema, JobRedriveSchema
from app.api.schemas.subjects import (
    FacesDeleteSchema,
    SubjectCreateSchema,
    SubjectsDeleteSchema,
    SubjectUpdateSchema,
)
from app.api.schemas.webhook_endpoints import EndpointCreateSchema, EndpointUpdateSchema
from app.web import json_text, turns
from app.web.fields import Metadata
from app.web.request_schema import BoundedList, RequestSchema
from scripts.bench.worst_bodies import is_refusal, measure
from tests.factories.callers import Caller
from tests.support.processes import Processes
from tests.support.served_api import served_api

BODIES = (
    ApiKeyCreateSchema,
    ApiKeyRotateSchema,
    CollectionCreateSchema,
    CollectionUpdateSchema,
    SubjectCreateSchema,
    SubjectUpdateSchema,
    JobCreateSchema,
    JobOptionsSchema,
    JobRedriveSchema,
    ImagePresignSchema,
    ImagesDeleteSchema,
    SubjectsDeleteSchema,
    FacesDeleteSchema,
    EndpointCreateSchema,
    EndpointUpdateSchema,
)
JOB_PLACE = "s3://photos/a.jpg"


def _members() -> Iterator[tuple[type[Schema], str, fields.Field[Any]]]:
    for schema in BODIES:
        yield from ((schema, name, field) for name, field in schema().fields.items())


def test_every_list_of_a_body_knows_its_length_before_its_elements() -> None:
    lists = [(name, field) for _, name, field in _members() if isinstance(field, fields.List)]
    assert {name for name, _ in lists} == {
        *("scopes", "allowed_addresses", "events", "attributes", "items", "codes"),
        *("ids", "external_ids"),
    }
    for _, field in lists:
        assert isinstance(field, (BoundedList, ItemsField))
    assert all(issubclass(schema, RequestSchema) for schema in BODIES)


@pytest.mark.parametrize("name", ["scopes", "events", "attributes"])
def test_of_a_list_that_is_too_long_no_element_is_looked_at(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[Any] = []
    monkeypatch.setattr(fields.String, "deserialize", lambda *args, **_: looked_at.append(args))
    (found,) = {schema for schema, member, _ in _members() if member == name} & {
        ApiKeyCreateSchema,
        EndpointCreateSchema,
        JobOptionsSchema,
    }
    field = found().fields[name]
    inner = getattr(field, "inner", None)
    monkeypatch.setattr(inner, "deserialize", lambda *args, **_: looked_at.append(args))
    with pytest.raises(ValidationError, match=r"[Ll]ength|[Ll]onger"):
        field.deserialize([0] * 100_000)
    assert looked_at == []


@pytest.mark.parametrize(
    "value",
    [{"k": [0] * 1_000_000}, {str(n): n for n in range(100_000)}, {"k": "x" * 1_000_000}],
    ids=["long", "wide", "text"],
)
def test_metadata_that_is_too_large_is_refused_without_going_through_it(
    value: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[Any] = []
    monkeypatch.setattr(fields.String, "deserialize", lambda *args, **_: looked_at.append(args))
    with pytest.raises(ValidationError, match="Larger than 16384 bytes"):
        Metadata().deserialize(value)
    assert looked_at == []


def test_of_very_many_unknown_members_the_first_are_told_and_the_others_counted(
    api: Caller,
) -> None:
    response = api.post("/collections", json={f"x{n}": 0 for n in range(1000)})
    problem = response.get_json()
    assert response.status_code == 422
    assert [each["pointer"] for each in problem["errors"]] == [f"/x{n}" for n in range(20)]
    assert problem["detail"].endswith("leaves out 980 more")


@pytest.mark.parametrize("schema", BODIES)
def test_of_very_many_unknown_members_only_the_first_cost_an_error(schema: type[Schema]) -> None:
    found = schema().validate({f"x{n}": 0 for n in range(1000)})
    assert {name for name in found if name.startswith("x")} == {f"x{n}" for n in range(20)}


def test_of_very_many_wrong_items_the_detail_counts_those_that_are_not_told(api: Caller) -> None:
    items = [{"custom_id": str(number), "image": 1} for number in range(1000)]
    problem = api.post("/jobs", json={"operation": "detect", "items": items}).get_json()
    assert len(problem["errors"]) == 20
    assert problem["detail"].endswith("leaves out 980 more")


def test_wrong_items_of_every_slice_are_pointed_at_by_their_place_in_the_job(api: Caller) -> None:
    items: list[Any] = [{"custom_id": str(n), "image": JOB_PLACE} for n in range(500)]
    items[3] = items[450] = 7
    problem = api.post("/jobs", json={"operation": "detect", "items": items}).get_json()
    assert [each["pointer"] for each in problem["errors"]] == ["/items/3", "/items/450"]


def test_an_item_of_very_many_members_is_one_fault(api: Caller) -> None:
    wide = {f"x{n}": 0 for n in range(1000)}
    items = [wide, {"custom_id": "b", "image": JOB_PLACE}]
    problem = api.post("/jobs", json={"operation": "detect", "items": items}).get_json()
    assert [each["pointer"] for each in problem["errors"]] == ["/items/0"]


def test_of_a_job_with_too_many_items_none_is_read(
    app: Flask, api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_items, "_ITEMS", None)
    items = [0] * (app.config["SETTINGS"].max_job_items + 1)
    response = api.post("/jobs", json={"operation": 0, "items": items})
    assert (response.status_code, response.get_json()["code"]) == (422, "job_too_large")


@pytest.mark.parametrize(
    "body",
    [b"[" + b"0," * 400_000 + b"0]", b"{" + b'"":[],' * 170_000 + b'"":0}', b"[[[]]]," * 100_000],
    ids=["long", "wide", "deep"],
)
def test_more_values_than_any_right_body_has_are_refused_before_they_are_parsed(
    api: Caller, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_text, "json", None)
    response = api.post("/collections", data=body, content_type="application/json")
    assert (response.status_code, response.get_json()["code"]) == (413, "payload_too_large")


def test_punctuation_in_a_text_is_no_value(api: Caller) -> None:
    body = {"name": "a", "url": '[{,\\",' * 20_000}
    assert api.post("/collections", json=body).status_code == 422


def test_a_number_of_very_many_digits_is_refused(api: Caller) -> None:
    body = b'{"name": "a", "metadata": {"k": ' + b"1" * 101 + b"}}"
    response = api.post("/collections", data=body, content_type="application/json")
    assert response.status_code == 400


@pytest.mark.parametrize("path", ["/collections", "/api-keys", "/webhook-endpoints"])
def test_a_body_that_is_no_job_has_a_mebibyte_at_most(api: Caller, path: str) -> None:
    def send(size: int) -> int:
        body = b'{"unknown": 1}'.ljust(size)
        return api.post(path, data=body, content_type="application/json").status_code

    assert (send(1_048_576), send(1_048_577)) == (422, 413)


def test_a_job_of_as_many_items_as_are_allowed_fits(app: Flask, api: Caller) -> None:
    count = app.config["SETTINGS"].max_job_items
    items = [{"custom_id": f"{n:0200}", "image": f"s3://photos/{n:0500}"} for n in range(count)]
    response = api.post("/jobs", json={"operation": "detect", "items": items})
    assert response.status_code == 202


def test_others_are_served_while_a_large_job_is_read(
    app: Flask, api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns_given: list[float] = []
    monkeypatch.setattr(turns.time, "sleep", turns_given.append)
    count = app.config["SETTINGS"].max_job_items
    items = [{"custom_id": f"{n:0100}", "image": 0} for n in range(count)]
    assert api.post("/jobs", json={"operation": "detect", "items": items}).status_code == 422
    assert len(turns_given) >= count // 200
    assert min(turns_given) > 0  # with 0, gevent does not look at the sockets


def test_characters_that_are_no_text_are_searched_for_no_further_than_they_are_told(
    api: Caller,
) -> None:
    body = '{"name": ["' + '\\u0000","' * 5000 + '"], "a/b": {"~": "\\ud800"}}'
    response = api.post("/collections", data=body, content_type="application/json")
    problem = response.get_json()
    assert [each["pointer"] for each in problem["errors"]] == [f"/name/{n}" for n in range(20)]
    assert "leaves out" not in problem["detail"]  # nobody counted them


def test_the_pointer_to_such_a_character_is_escaped(api: Caller) -> None:
    body = json.dumps({"a/b": {"~": "\0"}})
    response = api.post("/collections", data=body, content_type="application/json")
    assert response.get_json()["errors"][0]["pointer"] == "/a~1b/~0"


@pytest.mark.slow
def test_the_worst_bodies_of_every_call_are_refused_while_others_are_served(
    programs: Processes,
) -> None:
    # Seconds where it takes milliseconds: the machine of a test is shared. The figures are those
    # of scripts/bench/worst_bodies.py.
    without_limit = {**programs.environment, "ENABLE_API_RATE_LIMITING": "false"}
    with served_api(replace(programs, environment=without_limit)) as environment:
        found = list(measure(environment["FACEQUEUE_URL"], environment["FACEQUEUE_API_KEY"]))
    assert {(each.method, each.path.split("/")[3]) for each in found} >= {
        ("POST", "jobs"),
        ("POST", "api-keys"),
        ("PATCH", "collections"),
    }
    for each in found:
        assert is_refusal(each.status), each
        assert each.refused_ms < 5000, each
        assert each.health_ms < 1500, each
