"""`scripts/health_check.sh` against a stack that runs, and against one that lacks something."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask
from sqlalchemy import text

from app.config import Settings
from app.database.transactions import owner_transaction, queue_transaction
from app.domain.names import TaskName
from scripts.keeping.metrics import measured
from scripts.stack.state import ROOT
from scripts.watching import of_host, of_services
from scripts.watching.findings import Finding
from tests.support.emptying import truncate
from tests.support.ports import free_port
from tests.support.processes import WORKERS, Processes, wait_until
from tests.support.served_api import served_api

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("health-check")]

SCRIPT = ROOT / "scripts/health_check.sh"
# How full the disk of a machine of tests is, is its own affair.
HOST = ("--skip", "disk", "--skip", "memory", "--skip", "waiting", "--skip", "dead letters")
HOST = (*HOST, "--skip", "webhooks waiting", "--skip", "sources")


@pytest.fixture(scope="module")
def stack(_workers: Processes) -> Iterator[dict[str, str]]:
    """The environment of an operator beside an API, workers, beat and Flower."""
    _workers.ensure(*WORKERS, "beat")
    with served_api(_workers) as environment, flower(_workers) as address:
        yield {**environment, "FLOWER_URL": address}


@contextmanager
def flower(programs: Processes) -> Iterator[str]:
    port, program = free_port(), programs.programs["flower"]
    command = [*(part for part in program.command if "--port" not in part), f"--port={port}"]
    environment = {**programs.environment, **program.environment}
    address = f"http://127.0.0.1:{port}"
    with (
        programs.log("flower").open("ab") as log,
        subprocess.Popen(  # noqa: S603 - our own program
            command, cwd=ROOT, env=environment, stdout=log, stderr=log
        ) as process,
    ):
        try:
            wait_until(lambda: answers(f"{address}/healthcheck"), seconds=90, what="Flower")
            yield address
        finally:
            process.terminate()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def look(
    environment: dict[str, str], *arguments: object, **more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script
        [SCRIPT, *map(str, arguments)],
        env={**environment, **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def found(
    environment: dict[str, str], *arguments: object, code: int, **more: str
) -> dict[str, tuple[str, str]]:
    """Status and detail by the name of a check."""
    done = look(environment, "--json", *arguments, **more)
    assert done.returncode == code, done.stdout + done.stderr
    checks: list[dict[str, Any]] = json.loads(done.stdout)["checks"]
    return {check["name"]: (check["status"], check["detail"]) for check in checks}


def test_all_is_well_where_everything_runs(
    workers: Processes, stack: dict[str, str], tmp_path: Path
) -> None:
    del workers
    truncate("jobs")  # those of other tests wait for models that nobody serves
    wait_until(beat_has_fired, seconds=120, what="a turn of a chore")
    with measured("database", tmp_path):
        pass

    done = look(stack, *HOST, BACKUP_METRICS_DIR=str(tmp_path))

    assert done.returncode == 0, done.stdout + done.stderr
    first, _, *rows = done.stdout.splitlines()
    assert first == "FACEQUEUE OK: all is well"
    states = {row[10:].split("  ")[0]: row.split()[0] for row in rows}
    well = {"postgres", "migrations", "broker", "cache", "storage", "workers", "api", "flower"}
    well |= {"dispatcher", "beat", "backup"}
    well |= {f"queue {name}" for name in ("recognition", "webhooks", "analytics", "default")}
    assert {name for name, state in states.items() if state == "OK"} == well
    assert {"certificate", "errors", "replica", "mail"} <= states.keys()


def beat_has_fired() -> bool:
    with queue_transaction() as session:
        fresh = (
            "SELECT count(*) FROM chore_turns "
            "WHERE chore = :chore AND taken_at > now() - interval '4 min'"
        )
        return bool(session.execute(text(fresh), {"chore": TaskName.RECONCILE.value}).scalar_one())


@pytest.mark.usefixtures("workers")
def test_each_part_that_is_away_is_named_and_the_rest_is_told(
    stack: dict[str, str], tmp_path: Path
) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    lacking = {
        "DATABASE_URL": f"postgresql+psycopg2://a:b@{nobody}/none",
        "FACEQUEUE_URL": f"http://{nobody}",
        "FLOWER_URL": f"http://{nobody}",
        "CELERY_BROKER_URL": f"redis://{nobody}/0",
        "AWS_ENDPOINT_URL_S3": f"http://{nobody}",
        "BACKUP_METRICS_DIR": str(tmp_path),
    }

    states = found(stack, code=2, **lacking)

    bad = {name: state for name, (state, _) in states.items() if state not in ("ok", "off")}
    assert {
        "postgres": "critical",
        "api": "critical",
        "broker": "critical",
        "storage": "critical",
        "backup": "critical",
        "flower": "warning",
        "workers of queues": "unknown",
        "dispatcher": "unknown",
        "beat": "unknown",
    }.items() <= bad.items()
    assert states["cache"][0] == "ok"


def test_a_queue_without_a_worker_no_leader_and_a_silent_beat_are_named(
    workers: Processes, app: Flask, settings: Settings
) -> None:
    for name in ("webhooks", "dispatcher", "beat", "default"):
        if workers.alive(name):
            workers.stop(name)
    with owner_transaction() as session:
        turn = (
            "INSERT INTO chore_turns VALUES (:chore, now() - interval '6 min') "
            "ON CONFLICT (chore) DO UPDATE SET taken_at = excluded.taken_at"
        )
        session.execute(text(turn), {"chore": TaskName.RECONCILE.value})

    states = by_name(
        *of_services.workers(settings, has_broker=True),
        *of_services.queue(app, has_database=True),
        *of_services.beat(app, has_database=True),
    )

    assert states["queue recognition"][0] == "ok"
    assert states["queue webhooks"] == ("critical", "no worker answers")
    assert states["queue analytics"][0] == "warning"
    assert states["dispatcher"][0] == "critical"
    assert states["beat"] == ("warning", "the last chore of each minute ran 6 min ago")


def by_name(*findings: Finding) -> dict[str, tuple[str, str]]:
    return {found.name: (found.status, found.detail) for found in findings}


def test_errors_in_the_logs_of_the_last_minutes_are_counted(tmp_path: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    lines = [
        {"timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "level": "error", "event": "item_buried"}
        for moment in (now - dt.timedelta(hours=1), now, now)
    ]
    (tmp_path / "worker.log").write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    (found,) = of_host.errors([tmp_path], 900, journal=False)
    assert (found.status, found.detail) == ("warning", "2 in the last 15 min, item_buried (2)")
    (found,) = of_host.errors([tmp_path / "none.log"], 900, journal=False)
    assert found.status == "unknown"


@pytest.mark.parametrize(("days", "status"), [(60, "ok"), (10, "warning"), (-1, "critical")])
def test_a_certificate_s_end_is_seen_before_it_comes(
    tmp_path: Path, days: int, status: str
) -> None:
    path = tmp_path / "certificate.pem"
    path.write_bytes(certificate(dt.datetime.now(dt.UTC) + dt.timedelta(days=days)))

    (found,) = of_host.certificates([str(path)])

    assert found.status == status


def certificate(ends: dt.datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api.example")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - dt.timedelta(days=90))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM)


def test_a_backup_s_age_is_told_from_its_folder(settings: Settings, tmp_path: Path) -> None:
    here = settings.model_copy(update={"backup_dir": tmp_path, "backup_metrics_dir": None})
    assert [found.status for found in of_host.backup(here)] == ["off"]

    old = dt.datetime.now(dt.UTC) - dt.timedelta(hours=30)
    whole = tmp_path / "database" / f"{old:%Y%m%dT%H%M%SZ}"
    whole.mkdir(parents=True)
    (whole.parent / f"{whole.name}.draft").mkdir()
    assert [found.status for found in of_host.backup(here)] == ["critical"]

    (whole / "SHA256SUMS").touch()
    (found,) = of_host.backup(here)
    assert (found.status, found.detail) == ("warning", "the last good one is 30 h old")


def test_a_backup_that_failed_after_a_good_one_is_a_warning(
    settings: Settings, tmp_path: Path
) -> None:
    here = settings.model_copy(update={"backup_metrics_dir": tmp_path})
    assert [found.status for found in of_host.backup(here)] == ["critical"]
    with measured("database", tmp_path):
        pass
    assert [found.status for found in of_host.backup(here)] == ["ok"]
    with pytest.raises(OSError, match="full"), measured("database", tmp_path):
        raise OSError("full")

    (found,) = of_host.backup(here)

    assert found.status == "warning"
    assert found.detail.startswith("the last run failed; the last good one is")


def test_settings_of_a_file_are_read_and_what_they_lack_is_unknown(
    stack_environment: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "facequeue.env"
    wanted = {n: v for n, v in stack_environment.items() if not n.startswith("DATABASE_")}
    lines = [f"export {name}='{value}'\n" for name, value in wanted.items() if "'" not in value]
    file.write_text("".join([*lines, f"DATABASE_QUEUE_URL={stack_environment['DATABASE_URL']}\n"]))

    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    states = found(bare, "--env-file", file, code=3)

    assert "DATABASE_URL" in states["settings"][1]
    assert "DATABASE_QUEUE_URL" not in states["settings"][1]
    assert "SECRET_KEY" not in states["settings"][1]


def test_wrong_usage_is_unknown_and_not_critical() -> None:
    assert look(dict(os.environ), "--nonsense").returncode == 3
