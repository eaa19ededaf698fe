"""`scripts/analyze_logs.sh` over lines that our own logger has written."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import logging
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask

from app.config import Settings
from app.database.slow_statements import log_slow_statements
from app.logs import configure_logging
from scripts.stack.state import ROOT
from tests.factories.callers import Caller, make_caller
from tests.factories.jobs import PLACE

pytestmark = pytest.mark.stack

SCRIPT = ROOT / "scripts/analyze_logs.sh"
ABSENT = "/jobs/0199aaaa-0000-7000-8000-00000000000"


@pytest.fixture
def log(app: Flask, settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """A file to which this process logs as every process does."""
    del app
    root = logging.getLogger()
    before = list(root.handlers)
    configure_logging("INFO")
    (ours,) = root.handlers
    handler = logging.FileHandler(tmp_path / "api.log")
    handler.setFormatter(ours.formatter)
    root.handlers[:] = [*before, handler]
    yield tmp_path / "api.log"
    root.handlers[:] = before
    handler.close()
    log_slow_statements(settings.slow_statement_seconds)


@pytest.fixture
def caller(log: Path, app: Flask) -> Caller:  # noqa: ARG001 - it logs there
    """Has asked for two jobs that are none, waited a second for one, and heard from its worker."""
    log_slow_statements(1e-9)
    caller = make_caller(app)
    for number in range(2):
        caller.get(f"{ABSENT}{number}")
    item = {"custom_id": "a", "image": f"{PLACE}a.jpg"}
    body = {"operation": "detect", "items": [item]}
    caller.post("/jobs", json=body, headers={"Prefer": "wait=1"})
    worker = structlog.get_logger("workers.tasks.recognise")
    worker.info("shard_task_done", items_closed=3, stages_ms={"fetch": 10.0, "embed": 200.0})
    worker.error("item_buried", seq=7)
    worker.error("item_buried", seq=8)
    logging.getLogger("celery.worker").warning("lost connection 17 to 10.0.0.1")
    return caller


def analyze(
    *arguments: object, told: str = "", path: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script
        [SCRIPT, *map(str, arguments)],
        input=told,
        env={**os.environ, **({"PATH": path} if path else {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def found_in(*arguments: object, told: str = "", code: int = 0) -> dict[str, Any]:
    done = analyze(*arguments, "--json", told=told)
    assert done.returncode == code, done.stderr
    return dict(json.loads(done.stdout))


def lines_of(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_it_tells_endpoints_without_waits_errors_stages_statements_and_clients(
    log: Path, caller: Caller
) -> None:
    found = found_in(log, "--top", 100)

    endpoints = {each["endpoint"]: each for each in found["endpoints"]}
    assert endpoints["GET /api/v1/jobs/<uuid:job_id>"]["count"] == 2
    (submitted,) = [line for line in lines_of(log) if "waited_ms" in line]
    worked_ms = submitted["duration_ms"] - submitted["waited_ms"]
    assert endpoints["POST /api/v1/jobs"]["max_ms"] == pytest.approx(worked_ms, abs=0.2)
    assert {"count": 2, "level": "error", "event": "item_buried", "kind": ""} in found["problems"]
    library = {"level": "warning", "event": "lost connection N to N"}
    assert any(library.items() <= each.items() for each in found["problems"])
    assert [(each["stage"], each["max_ms"]) for each in found["stages"]] == [
        ("embed", 200.0),
        ("fetch", 10.0),
    ]
    assert any("INSERT INTO jobs" in each["statement"] for each in found["slow_statements"])
    (client,) = found["clients"]
    assert client["client"] == str(caller.tenant_id)
    assert (client["requests"], client["refused"], client["failed"]) == (3, 2, 0)
    assert found["errors"] == 2
    assert found["unreadable_lines"] == 0


def test_what_is_no_line_of_ours_is_counted_and_passed_over(log: Path, caller: Caller) -> None:
    del caller
    whole = len(log.read_text().splitlines())
    bad = ["plain words", '{"half": ', "[1]", '{"event": "no time"}', "[" * 5000, "\x00\xff"]
    odd = {"timestamp": "2026-01-01T00:00:00Z", "event": "request", "duration_ms": "long"}
    with log.open("a") as more:
        more.write("\n".join([*bad, json.dumps(odd)]) + "\n")

    found = found_in(log)

    assert (found["lines"], found["unreadable_lines"]) == (whole + 7, 6)
    assert found["errors"] == 2


def test_packed_files_pipes_and_lines_that_compose_has_named_are_read(
    log: Path, caller: Caller, tmp_path: Path
) -> None:
    del caller
    packed = tmp_path / "api.log.1.gz"
    packed.write_bytes(gzip.compress(log.read_bytes()))
    named = "".join(f"api-1  | {line}\n" for line in log.read_text().splitlines())

    once = found_in(log)["lines"]

    assert found_in(log, packed)["lines"] == 2 * once
    assert found_in(told=named)["errors"] == 2


def test_a_file_that_breaks_off_is_told_as_far_as_it_goes(log: Path, caller: Caller) -> None:
    del caller
    broken = log.with_suffix(".gz")
    broken.write_bytes(gzip.compress(log.read_bytes())[:-12])

    found = found_in(broken, log, log.with_name("none.log"), code=1)

    assert found["errors"] >= 2
    assert len(found["faults"]) == 2


def test_since_leaves_out_what_is_older(log: Path, caller: Caller) -> None:
    del caller
    old = {"timestamp": "2026-01-01T00:00:00Z", "level": "error", "event": "old"}
    with log.open("a") as more:
        more.write(json.dumps(old) + "\n")

    assert found_in(log)["errors"] == 3
    assert found_in(log, "--since", "2h")["errors"] == 2
    later = f"{dt.datetime.now(dt.UTC) + dt.timedelta(hours=1):%Y-%m-%dT%H:%M}"
    assert found_in(log, "--since", later)["errors"] == 0


def test_the_journal_is_asked_for_our_units(log: Path, caller: Caller, tmp_path: Path) -> None:
    del caller
    asked = tmp_path / "asked"
    journal = tmp_path / "journalctl"
    journal.write_text(f'#!/bin/sh\necho "$*" >{asked}\ncat {log}\n')
    journal.chmod(0o755)

    done = analyze("--journal", "--since", "1h", path=f"{tmp_path}:{os.environ['PATH']}")

    assert done.returncode == 0, done.stderr
    assert "--unit facequeue-* --output cat --no-pager --since @" in asked.read_text()
    assert "item_buried" in done.stdout


@pytest.mark.parametrize("arguments", [["--since", "soon"], ["--journal", "a.log"], ["--top", "0"]])
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    assert analyze(*arguments).returncode == 2
