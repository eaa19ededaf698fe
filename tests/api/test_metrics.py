from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from app import create_app
from app.adapters.s3 import ObjectStore
from app.config import Settings
from app.database.transactions import owner_transaction
from app.domain.identifiers import new_id
from app.domain.item_errors import ImageNotFound, StorageUnavailable
from app.domain.outcomes import ItemOutcome
from app.domain.storage import ObjectLocation
from app.models.dead_letter import DeadLetter
from app.services.leases.heartbeat import beat
from app.services.leases.pause_source import pause_source, resume_source
from scripts.stack.state import ROOT
from tests.factories.callers import Caller, make_caller
from tests.factories.jobs import lease_shard, make_job
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import begun, detect_job, found, store

_API_TIME = "face_recognition_api_request_duration_seconds"

Sample = tuple[str, tuple[tuple[str, str], ...]]


@pytest.fixture(autouse=True)
def _of_this_process(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whether the library shares its numbers is settled when it is first imported.
    alone = app.config["SETTINGS"].model_copy(update={"prometheus_multiproc_dir": None})
    monkeypatch.setitem(app.config, "SETTINGS", alone)


def _scrape(client: FlaskClient) -> dict[Sample, float]:
    text = client.get("/metrics").get_data(as_text=True)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_are_counted_by_tenant_operation_and_status(
    api: Caller, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.metrics.requests._known_clients", set())  # tests have many tenants
    item = {"custom_id": "a", "image": "s3://photos/a.jpg"}
    api.post("/jobs", json={"operation": "detect", "items": [item]})
    api.get("/jobs")
    api.get(f"/jobs/{new_id()}")
    found = {
        labels[1][1] + " " + labels[2][1]: value
        for (name, labels), value in _scrape(client).items()
        if name == "face_recognition_requests_total" and labels[0][1] == str(api.tenant_id)
    }
    assert found == {"detect 202": 1, "list_jobs 200": 1, "get_job 404": 1}


def _times(route: str, method: str, status_class: str) -> tuple[tuple[str, str], ...]:
    return (("method", method), ("route", route), ("status_class", status_class))


def test_times_are_measured_by_route_method_and_status_class(
    api: Caller, client: FlaskClient
) -> None:
    route = "/api/v1/jobs/<uuid:job_id>"
    count = (f"{_API_TIME}_count", _times(route, "GET", "4xx"))
    before = _scrape(client).get(count, 0)
    api.get(f"/jobs/{new_id()}")
    api.get(f"/jobs/{new_id()}")
    assert _scrape(client)[count] == before + 2


def test_a_wait_that_the_client_asks_for_counts_apart_from_the_work(
    api: Caller, client: FlaskClient
) -> None:
    waited = ("face_recognition_api_wait_seconds_sum", (("route", "/api/v1/jobs"),))
    worked = (f"{_API_TIME}_sum", _times("/api/v1/jobs", "POST", "2xx"))
    before = _scrape(client)
    body = {"operation": "detect", "items": [{"custom_id": "a", "image": "s3://photos/a.jpg"}]}
    began = time.perf_counter()
    api.post("/jobs", json=body, headers={"Prefer": "wait=1"})
    whole = time.perf_counter() - began
    after = _scrape(client)
    assert after[waited] - before.get(waited, 0) >= 1
    assert after[worked] - before.get(worked, 0) <= whole - 1


def test_requests_that_a_rate_limit_refuses_are_counted(settings: Settings) -> None:
    strict = create_app(settings.model_copy(update={"api_rate_limit_per_minute": 1}))
    strict.config["SETTINGS"] = settings.model_copy(update={"prometheus_multiproc_dir": None})
    refused = ("face_recognition_rate_limited_total", (("limit", "key"),))
    with strict.app_context():
        caller, before = make_caller(strict), _scrape(strict.test_client()).get(refused, 0)
        answers = [caller.get("/jobs").status_code for _ in range(3)]
        after = _scrape(strict.test_client()).get(refused, 0)
    assert after - before == answers.count(429) >= 1


def test_connections_to_the_database_are_timed_by_role(api: Caller, client: FlaskClient) -> None:
    count = ("face_recognition_database_checkout_seconds_count", (("role", "app"),))
    before = _scrape(client).get(count, 0)
    api.get("/jobs")
    after = _scrape(client)
    assert after[count] > before
    assert after[("face_recognition_database_connections_in_use", (("role", "app"),))] == 0


def test_calls_to_s3_are_timed_by_what_came_of_them(app: Flask, client: FlaskClient) -> None:
    world = TenantWorld.create()
    store = ObjectStore.from_settings(app.config["SETTINGS"])
    before = _scrape(client)
    store.read(ObjectLocation.parse(world.put("a.jpg", b"bytes")))
    with pytest.raises(ImageNotFound):
        store.read(ObjectLocation.parse(world.uri("b.jpg")))
    away = app.config["SETTINGS"].model_copy(update={"aws_endpoint_url_s3": "http://127.0.0.1:1"})
    with pytest.raises(StorageUnavailable):
        ObjectStore.from_settings(away, attempts=1).read(ObjectLocation.parse(world.uri("a.jpg")))
    after = _scrape(client)
    for operation, outcome in (
        ("PutObject", "ok"),
        ("GetObject", "ok"),
        ("GetObject", "refused"),
        ("GetObject", "failed"),
    ):
        labels = (("operation", operation), ("outcome", outcome))
        count = ("face_recognition_s3_call_seconds_count", labels)
        assert after[count] == before.get(count, 0) + 1


def test_items_are_counted_by_operation_outcome_and_code(app: Flask, client: FlaskClient) -> None:
    del app
    lease = begun(detect_job(TenantWorld.create(), items=3))
    before = _scrape(client)
    store(lease, *found(0))
    store(lease, *found(0, 1), ItemOutcome(2, error=ImageNotFound("gone")))  # 0 is closed: once
    after = _scrape(client)
    for outcome, code, count in (("succeeded", "", 2), ("failed", "image_not_found", 1)):
        labels = (("code", code), ("operation", "detect"), ("outcome", outcome))
        sample = ("face_recognition_items_total", labels)
        assert after[sample] == before.get(sample, 0) + count


@pytest.mark.usefixtures("empty_database")
def test_the_queue_is_read_from_postgres_at_each_scrape(app: Flask, client: FlaskClient) -> None:
    tenant = make_caller(app).tenant_id
    held = make_job(tenant, items=300)
    lease_shard(held)
    make_job(tenant, items=3)
    beat("metrics-test", 2, ["SFace@x"])
    _bury(tenant)
    pause_source("acme-photos", "SlowDown", 1)
    samples = _scrape(client)
    resume_source("acme-photos")
    depths = {
        dict(labels)["priority"]: value
        for (name, labels), value in samples.items()
        if name == "face_recognition_queue_depth"
    }
    assert depths == {"bulk": 44, "interactive": 3}
    assert samples[("face_recognition_leased_shards", ())] == 1
    assert samples[("face_recognition_active_sessions", ())] == 1
    assert samples[("face_recognition_dead_letters", ())] == 1
    assert samples[("face_recognition_webhook_backlog", ())] == 0
    assert samples[("face_recognition_worker_slots", (("model", "SFace@x"),))] == 2
    assert samples[("face_recognition_source_away_seconds", (("bucket", "acme-photos"),))] < 30
    assert samples[("face_recognition_database_up", ())] == 1
    assert samples[("face_recognition_waiting_items", (("client_id", str(tenant)),))] == 47
    assert samples[("face_recognition_dispatcher_leaders", ())] == 0
    assert samples[("face_recognition_audit_unchained_events", ())] >= 1
    assert 0 < samples[("face_recognition_audit_unchained_seconds", ())] < 30
    assert 0 <= samples[("face_recognition_shard_lease_age_seconds", ())] < 30
    assert any(name == "face_recognition_oldest_pending_seconds" for name, _ in samples)


def test_a_scrape_without_the_database_still_shows_the_process(settings: Settings) -> None:
    url = "postgresql+psycopg2://x:x@127.0.0.1:1/x"
    changed = {"database_queue_url": url, "prometheus_multiproc_dir": None}
    client = create_app(settings.model_copy(update=changed)).test_client()
    client.get("/api/v1/jobs")
    samples = _scrape(client)
    assert samples[("face_recognition_database_up", ())] == 0
    assert any(name.startswith("face_recognition_requests") for name, _ in samples)


def test_the_operator_may_switch_metrics_off(settings: Settings) -> None:
    quiet = settings.model_copy(update={"prometheus_metrics_enabled": False})
    assert create_app(quiet).test_client().get("/metrics").status_code == 404


def test_processes_of_a_host_share_their_numbers(
    stack_environment: dict[str, str], tmp_path: Path
) -> None:
    environment = {**stack_environment, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics")}
    for score in ("0.5", "0.7"):
        _python(
            "from app.metrics.sharing import share_metrics; share_metrics();"
            f"from app.metrics.recognition import record_quality; record_quality({score})",
            environment,
        )
    shown = _python("import wsgi; print(wsgi.app.test_client().get('/metrics').text)", environment)
    assert "face_embedding_quality_score_count 2.0" in shown


def test_a_command_leaves_no_file(stack_environment: dict[str, str], tmp_path: Path) -> None:
    environment = {**stack_environment, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "queue", "status", "--json"]
    printed = subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    ).stdout
    assert "pending_items" in printed
    assert list(tmp_path.iterdir()) == []


def _python(code: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(  # noqa: S603 - our own code
        command, env=environment, capture_output=True, text=True, check=True
    ).stdout


def _bury(tenant_id: object) -> None:
    with owner_transaction() as session:
        session.add(
            DeadLetter(
                id=new_id(),
                tenant_id=tenant_id,
                job_id=new_id(),
                item_seq=0,
                image_uri="s3://photos/a.jpg",
                code="worker_crashed",
                reason="test",
            )
        )
        session.flush()
