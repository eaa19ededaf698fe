"""A host without an API tells its workers' numbers by a page that needs no settings."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from prometheus_client.parser import text_string_to_metric_families

from scripts.stack.state import ROOT
from tests.support.ports import free_port
from tests.support.processes import wait_until

EXPORTER = (sys.executable, "-m", "workers.metrics_exporter")
# A worker process that ends, and leaves what it counted.
WORKER = """
from app.metrics.sharing import share_metrics
share_metrics()
from app.metrics.recognition import begin_recognition, record_items, record_stage
begin_recognition()
record_items("detect", None, 3)
record_stage("embed", 0.2)
"""


def bare(folder: Path, **more: str) -> dict[str, str]:
    """No database, no secret."""
    shared = {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **shared, **more}


def page(address: str) -> str | None:
    try:
        answer = requests.get(f"http://{address}/metrics", timeout=10)
    except requests.RequestException:
        return None
    assert answer.status_code == 200
    return answer.text


@contextmanager
def exporter(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    address = f"127.0.0.1:{free_port()}"
    with subprocess.Popen(  # noqa: S603 - our own program
        EXPORTER,
        cwd=ROOT,
        env=bare(folder, METRICS_BIND=address),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_until(lambda: page(address) is not None, seconds=60, what="the page")
            yield process, address
        finally:
            process.terminate()


def test_what_workers_counted_is_on_the_page_also_when_they_have_ended(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    with exporter(folder) as (process, address):
        for _ in range(2):
            subprocess.run(  # noqa: S603 - our own code
                [sys.executable, "-c", WORKER], cwd=ROOT, env=bare(folder), check=True
            )

        told = page(address)
        assert told is not None
        values = {
            (sample.name, sample.labels.get("operation"), sample.labels.get("stage")): sample.value
            for family in text_string_to_metric_families(told)
            for sample in family.samples
            if sample.labels.get("outcome", "succeeded") == "succeeded"
        }
        assert values["face_recognition_items_total", "detect", None] == 6
        assert values["face_recognition_stage_seconds_count", None, "embed"] == 2
        assert requests.get(f"http://{address}/", timeout=10).status_code == 404
        process.terminate()
        assert process.wait(30) == 0


def test_without_a_folder_it_says_what_to_set() -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        EXPORTER,
        cwd=ROOT,
        env=bare(Path()) | {"PROMETHEUS_MULTIPROC_DIR": ""},
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 3
    assert "PROMETHEUS_MULTIPROC_DIR" in done.stderr
