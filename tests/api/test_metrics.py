from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from app import create_app
from app.config import Settings
from app.database.transactions import owner_transaction
from app.domain.identifiers import new_id
from app.models.dead_letter import DeadLetter
from app.services.leases.heartbeat import beat
from app.services.leases.pause_source import pause_source, resume_source
from tests.factories.callers import Caller, make_caller
from tests.factories.jobs import lease_shard, make_job

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
    api: Caller, client: FlaskClient
) -> None:
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


def test_durations_are_measured_by_call(api: Caller, client: FlaskClient) -> None:
    count = ("face_recognition_duration_seconds_count", (("operation", "list_jobs"),))
    before = _scrape(client).get(count, 0)
    api.get("/jobs")
    assert _scrape(client)[count] == before + 1


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
    assert 0 <= samples[("face_recognition_shard_lease_age_seconds", ())] < 30
    assert any(name == "face_recognition_oldest_pending_seconds" for name, _ in samples)


def test_a_scrape_without_the_database_still_shows_the_process(settings: Settings) -> None:
    url = "postgresql+psycopg2://x:x@127.0.0.1:1/x"
    client = create_app(settings.model_copy(update={"database_queue_url": url})).test_client()
    samples = _scrape(client)
    assert samples[("face_recognition_database_up", ())] == 0
    assert any(name.startswith("face_embedding_quality_score") for name, _ in samples)


def test_the_operator_may_switch_metrics_off(settings: Settings) -> None:
    quiet = settings.model_copy(update={"prometheus_metrics_enabled": False})
    assert create_app(quiet).test_client().get("/metrics").status_code == 404


def test_processes_of_a_host_share_their_numbers(
    stack_environment: dict[str, str], tmp_path: Path
) -> None:
    environment = {**stack_environment, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics")}
    for score in ("0.5", "0.7"):
        _python(
            f"from app.services.upkeep import record_metrics as m; m.record_quality({score})",
            environment,
        )
    shown = _python("import wsgi; print(wsgi.app.test_client().get('/metrics').text)", environment)
    assert "face_embedding_quality_score_count 2.0" in shown


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
