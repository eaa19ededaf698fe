from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import make_url, text

from app import create_app
from app.config import Settings, load_settings
from app.database.transactions import owner_transaction
from app.domain.model_registry import load_registry
from app.services.leases.heartbeat import beat, retire
from app.services.leases.pause_source import pause_source, resume_source
from scripts.stack.environment import database_url
from scripts.stack.state import State

MODEL = load_registry().model("SFace").identity


@pytest.fixture
def live_worker(app: Flask) -> Iterator[None]:
    del app
    beat("readiness-test", 2, [MODEL])
    yield
    retire("readiness-test")


def _client_with(**changes: str) -> FlaskClient:
    return create_app(load_settings(**changes)).test_client()


@pytest.mark.usefixtures("settings")
def test_liveness_asks_nobody() -> None:
    client = _client_with(database_url="postgresql+psycopg2://x:x@127.0.0.1:1/x")
    response = client.get("/health/")
    assert (response.status_code, response.get_json()) == (200, {"status": "ok"})


@pytest.mark.usefixtures("live_worker")
def test_a_host_with_all_its_dependencies_is_ready(client: FlaskClient) -> None:
    response = client.get("/health/ready/")
    assert response.status_code == 200
    readiness = response.get_json()
    assert {name: check["status"] for name, check in readiness["checks"].items()} == {
        "postgres": "ok",
        "migrations": "ok",
        "replica": "ok",
        "broker": "ok",
        "cache": "ok",
        "storage": "ok",
        "sources": "ok",
        "workers": "ok",
    }
    assert readiness["status"] == "ok"
    assert f"{MODEL}: 2" in readiness["checks"]["workers"]["detail"]


@pytest.mark.usefixtures("empty_database", "live_worker")
def test_a_bucket_that_does_not_answer_is_named_and_the_host_degraded(client: FlaskClient) -> None:
    pause_source("acme-photos", "EndpointConnectionError", 1)
    try:
        response = client.get("/health/ready/")
    finally:
        resume_source("acme-photos")
    sources = response.get_json()["checks"]["sources"]
    assert (response.status_code, sources["status"]) == (200, "degraded")
    assert "acme-photos (EndpointConnectionError)" in sources["detail"]


@pytest.mark.usefixtures("empty_database")
def test_without_a_worker_for_the_model_a_host_is_degraded(client: FlaskClient) -> None:
    response = client.get("/health/ready/")
    assert (response.status_code, response.get_json()["status"]) == (200, "degraded")
    assert MODEL in response.get_json()["checks"]["workers"]["detail"]


@pytest.mark.usefixtures("live_worker")
@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({"celery_broker_url": "redis://127.0.0.1:1/0"}, "broker"),
        ({"aws_endpoint_url_s3": "http://127.0.0.1:1"}, "storage"),
        ({"aws_storage_bucket_name": "no-such-bucket"}, "storage"),
    ],
)
def test_without_broker_or_storage_a_host_is_degraded(change: dict[str, str], failed: str) -> None:
    response = _client_with(**change).get("/health/ready/")
    readiness = response.get_json()
    assert (response.status_code, readiness["status"]) == (200, "degraded")
    broken = [name for name, check in readiness["checks"].items() if check["status"] != "ok"]
    assert broken == [failed]


@pytest.mark.usefixtures("settings")
def test_without_its_database_a_host_is_unavailable() -> None:
    url = "postgresql+psycopg2://someone:hunter2@127.0.0.1:1/x"
    client = _client_with(database_url=url)
    response = client.get("/health/ready/")
    assert (response.status_code, response.get_json()["status"]) == (503, "unavailable")
    assert response.get_json()["checks"]["postgres"]["status"] == "failed"
    assert "hunter2" not in response.get_data(as_text=True)


def test_on_another_schema_a_host_is_unavailable(client: FlaskClient) -> None:
    with owner_transaction() as session:
        head = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    try:
        response = client.get("/health/ready/")
    finally:
        with owner_transaction() as session:
            session.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head})
    assert response.status_code == 503
    assert "0000" in response.get_json()["checks"]["migrations"]["detail"]


@pytest.mark.parametrize("role", ["owner", "superuser"])
def test_a_role_that_row_level_security_does_not_bind_is_refused(
    services: State, settings: Settings, role: str
) -> None:
    database = make_url(settings.database_url).database
    url = database_url(services, role, str(database))

    response = _client_with(database_url=url).get("/health/ready/")

    assert response.status_code == 503
    assert "row-level security" in response.get_json()["checks"]["postgres"]["detail"]
