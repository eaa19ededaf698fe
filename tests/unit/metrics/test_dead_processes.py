"""What processes leave in the folder that those of a host share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from app.metrics.dead_processes import fold_dead_processes
from scripts.stack.state import ROOT

_COUNT = """
from app.metrics.sharing import share_metrics
share_metrics()
from app.metrics.database import record_connections
from app.metrics.recognition import record_items, record_quality
record_items("detect", None, 3)
record_quality(0.5)
record_connections("app", 2)
print("counted", flush=True)
"""
_STAY = "input()"
ITEMS = "face_recognition_items_total"
QUALITY = "face_embedding_quality_score_count"
CONNECTIONS = "face_recognition_database_connections_in_use"


def _start(folder: Path, code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _run(folder: Path, code: str = _COUNT) -> None:
    with _start(folder, code) as process:
        process.communicate()
    assert process.returncode == 0


@contextmanager
def _running(folder: Path) -> Iterator[subprocess.Popen[str]]:
    with _start(folder, _COUNT + _STAY) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "counted\n"
        yield process
        process.communicate("\n")


def _value(folder: Path, name: str) -> float | None:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))
    found = [
        sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == name
    ]
    return sum(found) if found else None


def _files(folder: Path) -> set[str]:
    return {file.name for file in folder.glob("*.db")}


def test_counts_outlive_their_process_and_its_files_do_not(tmp_path: Path) -> None:
    for _ in range(3):
        _run(tmp_path)

    fold_dead_processes(tmp_path)

    assert _files(tmp_path) == {"counter_dead.db", "histogram_dead.db"}
    assert _value(tmp_path, ITEMS) == 9
    assert _value(tmp_path, QUALITY) == 3


def test_what_is_folded_already_is_not_counted_again(tmp_path: Path) -> None:
    _run(tmp_path)
    fold_dead_processes(tmp_path)

    _run(tmp_path)
    fold_dead_processes(tmp_path)
    fold_dead_processes(tmp_path)

    assert _value(tmp_path, ITEMS) == 6


def test_gauges_go_with_their_process(tmp_path: Path) -> None:
    _run(tmp_path)
    assert _value(tmp_path, CONNECTIONS) == 2

    fold_dead_processes(tmp_path)

    assert _value(tmp_path, CONNECTIONS) is None


def test_a_living_process_keeps_its_files(tmp_path: Path) -> None:
    with _running(tmp_path) as process:
        fold_dead_processes(tmp_path)

        assert _value(tmp_path, CONNECTIONS) == 2
        assert f"counter_{process.pid}.db" in _files(tmp_path)


def test_files_of_a_dead_process_go_though_another_has_its_pid(tmp_path: Path) -> None:
    _run(tmp_path)
    (left,) = tmp_path.glob("counter_*.db")
    left.rename(tmp_path / f"counter_{os.getpid()}.db")  # this process never opened it

    fold_dead_processes(tmp_path)

    assert "counter_dead.db" in _files(tmp_path)
    assert f"counter_{os.getpid()}.db" not in _files(tmp_path)


def test_a_process_that_starts_sweeps(tmp_path: Path) -> None:
    for _ in range(2):
        _run(tmp_path)

    with _running(tmp_path) as process:
        pids = {name.rpartition("_")[2] for name in _files(tmp_path)}
        assert pids == {"dead.db", f"{process.pid}.db"}


@pytest.mark.parametrize("module", ["requests", "recognition", "webhooks", "database", "storage"])
def test_a_process_that_does_not_say_that_it_stays_leaves_no_file(
    module: str, tmp_path: Path
) -> None:
    _run(tmp_path, f"import app.metrics.{module}")
    _run(tmp_path, _COUNT.replace("share_metrics()\n", "", 1))

    assert _files(tmp_path) == set()
