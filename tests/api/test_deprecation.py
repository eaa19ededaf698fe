"""How clients learn that a route or a field will go, tried on routes that only this test has."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask
from marshmallow import fields

from app import create_app
from app.api import BASE
from app.api.resource import FaceQueueApi, Resource
from app.config import Settings, load_settings
from app.domain.names import Scope
from app.domain.request_errors import Conflict
from app.web.auth import requires
from app.web.deprecation import Deprecation, deprecated, deprecated_field
from app.web.fields import AnswerSchema
from app.web.request_schema import RequestSchema
from tests.factories.callers import Caller

OLD_ROUTE = Deprecation(dt.date(2026, 3, 1), "/docs/1", sunset=dt.date(2027, 3, 1))
OLD_FIELD = Deprecation(dt.date(2026, 2, 1), "/docs/2", sunset=dt.date(2027, 4, 1))
OLD_QUERY = Deprecation(dt.date(2026, 1, 1), "/docs/3")


class BodySchema(RequestSchema):
    new = fields.Integer()
    old = deprecated_field(OLD_FIELD, fields.Integer(allow_none=True))


class QuerySchema(RequestSchema):
    old = deprecated_field(OLD_QUERY, fields.Integer())


class AnsweredSchema(AnswerSchema):
    old = deprecated_field(OLD_FIELD, fields.Integer())


def resource() -> Resource:
    blueprint = Resource("throwaway", __name__)

    @blueprint.get("/old-routes/<int:number>")
    @deprecated(OLD_ROUTE)
    @requires(Scope.JOBS_READ)
    @blueprint.returns(200, AnsweredSchema)
    def read_old(number: int) -> Any:
        """Read what will go."""
        if number == 0:
            raise Conflict("There is no 0")
        return {"old": number}, {"Link": '<next>; rel="next"'}

    @blueprint.post("/new-routes")
    @requires(Scope.JOBS_READ)
    @blueprint.takes(BodySchema)
    @deprecated(OLD_ROUTE)
    @blueprint.returns(200, AnsweredSchema)
    def write_new(body: dict[str, Any]) -> Any:
        """Write what stays, by a route that goes."""
        return body

    @blueprint.post("/fields")
    @requires(Scope.JOBS_READ)
    @blueprint.takes(BodySchema)
    @blueprint.returns(200, AnsweredSchema)
    def write_field(body: dict[str, Any]) -> Any:
        """Write a field that will go."""
        return body

    @blueprint.get("/queries")
    @requires(Scope.JOBS_READ)
    @blueprint.takes(QuerySchema, "query")
    @blueprint.returns(200, AnsweredSchema)
    def ask(args: dict[str, Any]) -> Any:
        """Ask with a parameter that will go."""
        return args

    return blueprint


@pytest.fixture
def old(api: Caller, settings: Settings) -> Caller:
    """A client of an installation with routes and fields that will go."""
    app = create_app(load_settings(**settings.model_dump()))
    faces: FaceQueueApi = app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    faces.register_blueprint(resource(), url_prefix=BASE)
    return Caller(app, api.tenant_id, api.key)


def document(app: Flask) -> Any:
    return app.test_client().get(f"{BASE}/openapi.json").get_json()


def test_a_route_that_will_go_says_since_when_and_until_when(old: Caller) -> None:
    answer = old.get("/old-routes/1")
    assert answer.status_code == 200
    assert answer.headers["Deprecation"] == "@1772323200"
    assert answer.headers["Sunset"] == "Mon, 01 Mar 2027 00:00:00 GMT"
    links = answer.headers.getlist("Link")
    assert links == ['<next>; rel="next"', '</docs/1>; rel="deprecation"; type="text/html"']


def test_its_errors_say_it_too(old: Caller) -> None:
    stranger = old.with_key("fq_000000000000_wrong")
    wrong = old.post("/new-routes", json={"nobody": "knows it"})
    refused = [old.get("/old-routes/0"), stranger.get("/old-routes/1"), wrong]
    assert [answer.status_code for answer in refused] == [409, 401, 422]
    for answer in refused:
        assert answer.headers["Deprecation"] == "@1772323200"


@pytest.mark.parametrize("value", [1, None, "wrong"])
def test_a_field_that_will_go_is_told_to_who_sends_it_alone(old: Caller, value: object) -> None:
    told = old.post("/fields", json={"old": value})
    assert told.headers["Deprecation"] == "@1769904000"
    assert told.headers["Sunset"] == "Thu, 01 Apr 2027 00:00:00 GMT"
    assert "Deprecation" not in old.post("/fields", json={"new": 1}).headers
    assert "Sunset" not in old.post("/fields", json={}).headers


def test_what_one_request_had_is_not_told_to_the_next(old: Caller) -> None:
    with old.app.app_context():  # in which `g` outlives a request
        old.post("/fields", json={"old": 1})
        assert "Deprecation" not in old.post("/fields", json={"new": 1}).headers


def test_a_parameter_that_will_go_some_day_has_no_sunset(old: Caller) -> None:
    told = old.get("/queries?old=1")
    assert told.headers["Deprecation"] == "@1767225600"
    assert "Sunset" not in told.headers
    assert "Deprecation" not in old.get("/queries").headers


def test_of_several_the_first_dates_are_told_and_each_link(old: Caller) -> None:
    answer = old.post("/new-routes", json={"old": 1})
    assert answer.headers["Deprecation"] == "@1769904000"
    assert answer.headers["Sunset"] == "Mon, 01 Mar 2027 00:00:00 GMT"
    assert [link[:9] for link in answer.headers.getlist("Link")] == ["</docs/1>", "</docs/2>"]


def test_the_document_says_it_of_routes_fields_and_parameters(old: Caller) -> None:
    said = document(old.app)
    paths, schemas = said["paths"], said["components"]["schemas"]
    route = paths[f"{BASE}/old-routes/{{number}}"]["get"]
    assert route["deprecated"] is True
    assert {"Deprecation", "Sunset", "Link"} <= set(route["responses"]["200"]["headers"])
    assert paths[f"{BASE}/new-routes"]["post"]["deprecated"] is True
    field = paths[f"{BASE}/fields"]["post"]
    assert "deprecated" not in field
    assert {"Deprecation", "Sunset"} <= set(field["responses"]["200"]["headers"])
    for name in ("Body", "Answered"):
        assert schemas[name]["properties"]["old"]["deprecated"] is True
    (parameter,) = paths[f"{BASE}/queries"]["get"]["parameters"]
    assert parameter["deprecated"] is True


def test_who_uses_it_still_is_in_the_access_log(
    old: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    old.get("/old-routes/1")
    old.get("/jobs")
    lines = [r.msg for r in caplog.records if isinstance(r.msg, dict) and "path" in r.msg]
    assert [line.get("deprecated") for line in lines] == [True, None]
    assert lines[0]["key_id"]


def test_nothing_is_deprecated_today(api: Caller) -> None:
    assert "'deprecated': True" not in str(document(api.app))
    assert "Deprecation" not in api.get("/jobs").headers


def test_what_goes_before_it_is_deprecated_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot have gone before"):
        Deprecation(dt.date(2026, 3, 1), "/docs/1", sunset=dt.date(2026, 2, 1))
