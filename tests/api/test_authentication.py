from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from app.database.transactions import owner_transaction
from app.domain.names import Scope
from app.models.api_key import ApiKey
from app.web.auth import PUBLIC_ENDPOINTS
from tests.factories.callers import BASE, Caller

_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def _guarded_rules(app: Flask) -> list[Rule]:
    return [
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in PUBLIC_ENDPOINTS and rule.endpoint != "static"
    ]


# What a route needs follows from its resource, and from whether it only reads.
SCOPES = {
    "jobs": (Scope.JOBS_READ, Scope.JOBS_WRITE),
    "images": (Scope.JOBS_READ, Scope.JOBS_WRITE),
    "collections": (Scope.COLLECTIONS_READ, Scope.COLLECTIONS_WRITE),
    "models": (Scope.COLLECTIONS_READ, Scope.COLLECTIONS_READ),
    "webhook-endpoints": (Scope.WEBHOOKS_WRITE, Scope.WEBHOOKS_WRITE),
    "api-keys": (Scope.KEYS_WRITE, Scope.KEYS_WRITE),
    "audit-events": (Scope.AUDIT_READ, Scope.AUDIT_READ),
    "usage": (Scope.USAGE_READ, Scope.USAGE_READ),
}
FOR_ANY_KEY = {"installation.get_me", "installation.get_limits"}


def _url(app: Flask, rule: Rule) -> str:
    with app.test_request_context():
        return app.url_for(rule.endpoint, **{name: uuid4() for name in rule.arguments})


def test_every_route_demands_a_key_or_is_on_the_public_list(app: Flask) -> None:
    client = app.test_client()
    rules = _guarded_rules(app)
    assert len(rules) > 15
    for rule in rules:
        for method in _METHODS & (rule.methods or set()):
            response = client.open(_url(app, rule), method=method, data=b"not json")
            assert response.status_code == 401, f"{method} {rule} let a stranger in"
            assert response.get_json()["code"] == "unauthenticated"


def test_every_view_states_the_scope_that_it_demands(app: Flask) -> None:
    for rule in _guarded_rules(app):
        scope = getattr(app.view_functions[rule.endpoint], "required_scope", "none stated")
        any_key = scope is None and rule.endpoint in FOR_ANY_KEY
        assert any_key or isinstance(scope, Scope), f"{rule} has no @requires"


def test_no_route_lets_a_key_through_that_lacks_its_scope(app: Flask, api: Caller) -> None:
    scopes = set(Scope) - {Scope.ADMIN}
    having = {scope: api.with_scopes(scope) for scope in scopes}
    lacking = {scope: api.with_scopes(*(scopes - {scope})) for scope in scopes}
    for rule in _guarded_rules(app):
        if rule.endpoint in FOR_ANY_KEY:
            continue
        path = _url(app, rule).removeprefix(BASE)
        reads, writes = SCOPES[path.split("/")[1]]
        for method in _METHODS & (rule.methods or set()):
            scope = reads if method == "GET" else writes
            refused = lacking[scope].send(method, path)
            assert refused.status_code == 403, f"{method} {rule} needs no {scope}"
            assert refused.get_json()["code"] == "forbidden"
            let_in = having[scope].send(method, path).status_code
            assert let_in not in {401, 403}, f"{method} {rule} needs more than {scope}"


def test_every_post_is_idempotent(app: Flask) -> None:
    for rule in _guarded_rules(app):
        if "POST" in (rule.methods or set()):
            view = app.view_functions[rule.endpoint]
            assert getattr(view, "is_idempotent", False), f"{rule} has no @idempotent"


def test_the_public_list_names_only_routes_that_exist(app: Flask) -> None:
    assert set(app.view_functions) >= PUBLIC_ENDPOINTS


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic abc", "Bearer nonsense", "Bearer fq_0_x", "Bearer fq_ä_x"],
)
def test_a_header_that_holds_no_key_is_refused(client: FlaskClient, header: str) -> None:
    response = client.get("/api/v1/jobs", headers={"Authorization": header})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_the_right_prefix_with_another_secret_is_refused(api: Caller) -> None:
    forged = Caller(api.app, api.tenant_id, api.key[:-1] + ("a" if api.key[-1] != "a" else "b"))
    assert forged.get("/jobs").status_code == 401


def test_an_expired_key_is_refused(api: Caller) -> None:
    _change_key(api, expires_at=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1))
    assert "expired" in api.get("/jobs").get_json()["detail"]


def test_a_revoked_key_is_refused(api: Caller) -> None:
    _change_key(api, revoked_at=dt.datetime.now(dt.UTC))
    assert "revoked" in api.get("/jobs").get_json()["detail"]


def test_only_the_digest_of_a_key_is_stored(api: Caller) -> None:
    with owner_transaction() as session:
        key = session.query(ApiKey).filter_by(tenant_id=api.tenant_id).one()
    assert len(key.key_hash) == 32
    assert key.prefix in api.key
    assert api.key.encode() not in bytes(key.key_hash)


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.ADMIN])
def test_a_key_may_do_only_what_its_scope_says(api: Caller, scope: Scope) -> None:
    narrow = api.with_scopes(scope)
    calls = {
        Scope.JOBS_READ: narrow.get("/jobs"),
        Scope.JOBS_WRITE: narrow.post("/jobs", json={}),
        Scope.COLLECTIONS_READ: narrow.get("/collections"),
        Scope.COLLECTIONS_WRITE: narrow.post("/collections", json={}),
        Scope.WEBHOOKS_WRITE: narrow.get("/webhook-endpoints"),
        Scope.KEYS_WRITE: narrow.get("/api-keys"),
        Scope.AUDIT_READ: narrow.get("/audit-events"),
        Scope.USAGE_READ: narrow.get("/usage"),
    }
    allowed = {name for name, response in calls.items() if response.status_code != 403}
    assert allowed == {scope}


def test_enrolling_needs_the_right_to_write_collections_too(api: Caller) -> None:
    collection = api.post("/collections", json={"name": "staff"}).get_json()["id"]
    item = {"custom_id": "a", "image": "s3://photos/a.jpg"}
    people = [{**item, "subject": "ada"}]
    wanted = {"operation": "enrol", "collection_id": collection, "items": people}
    refused = api.with_scopes(Scope.JOBS_WRITE).post("/jobs", json=wanted)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "forbidden")
    assert "collections:write" in refused.get_json()["detail"]
    both = api.with_scopes(Scope.JOBS_WRITE, Scope.COLLECTIONS_WRITE)
    assert both.post("/jobs", json=wanted).status_code == 202
    identify = {**wanted, "operation": "identify", "items": [item]}
    assert api.with_scopes(Scope.JOBS_WRITE).post("/jobs", json=identify).status_code == 202


def test_admin_includes_every_scope(api: Caller) -> None:
    for path in ("/jobs", "/collections", "/api-keys", "/audit-events"):
        assert api.get(path).status_code == 200


def _change_key(api: Caller, **values: dt.datetime) -> None:
    with owner_transaction() as session:
        session.query(ApiKey).filter_by(tenant_id=api.tenant_id).update(values)
