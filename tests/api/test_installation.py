"""What a client can learn of the installation, and of its own key."""

from __future__ import annotations

import pytest
from flask import Flask

from app.config import Settings
from app.domain.model_registry import load_registry
from app.domain.names import Scope
from app.services.leases.heartbeat import beat, retire
from tests.factories.callers import Caller, make_caller


def test_a_key_reads_who_it_is_whatever_its_scopes(api: Caller) -> None:
    key = api.with_scopes(Scope.WEBHOOKS_WRITE)
    me = key.get("/me").get_json()
    assert me["tenant_id"] == str(api.tenant_id)
    assert me["tenant_name"].startswith("tenant-")
    assert (me["key_name"], me["scopes"], me["expires_at"]) == ("test", ["webhooks:write"], None)
    listed = api.get("/api-keys").get_json()["data"]
    assert me["key_id"] == listed[0]["id"]


def test_any_key_reads_the_limits(api: Caller, settings: Settings) -> None:
    limits = api.with_scopes(Scope.WEBHOOKS_WRITE).get("/limits").get_json()
    assert limits["max_job_items"] == settings.max_job_items
    assert limits["max_upload_size"] == settings.max_upload_size
    assert limits["requests_per_minute"] == settings.api_rate_limit_per_minute
    assert limits["retention_days_jobs"] == settings.retention_days_jobs


def test_a_stranger_reads_neither(app: Flask) -> None:
    for path in ("/me", "/limits", "/models"):
        assert app.test_client().get(f"/api/v1{path}").status_code == 401


def test_the_models_are_those_that_a_collection_can_have(api: Caller) -> None:
    models = api.get("/models").get_json()["data"]
    entry = load_registry().model("SFace")
    (default,) = [model for model in models if model["default"]]
    assert (default["name"], default["identity"]) == (entry.name, entry.identity)
    assert default["dimensions"] == 128
    assert default["default_threshold"] == entry.default_threshold
    assert default["licence"]["name"] == entry.licence.name
    for model in models:
        made = api.post("/collections", json={"name": model["name"], "model": model["identity"]})
        assert made.status_code == 201
    assert api.post("/collections", json={"name": "a", "model": "ArcFace"}).status_code == 422


@pytest.mark.usefixtures("empty_database")
def test_a_model_is_live_while_a_worker_for_it_beats(app: Flask) -> None:
    api = make_caller(app)
    identity = load_registry().model("SFace").identity
    assert _live(api, identity) is False
    beat("test-installation", 1, [identity])
    assert _live(api, identity) is True
    retire("test-installation")
    assert _live(api, identity) is False


def _live(api: Caller, identity: str) -> bool:
    (model,) = [
        model for model in api.get("/models").get_json()["data"] if model["identity"] == identity
    ]
    return bool(model["live"])
