"""The page of a shared folder says what the library's own collector would say, only sooner."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.parser import text_string_to_metric_families

from app.metrics.shared_page import shared_page
from scripts.stack.state import ROOT

_COUNT = """
from app.metrics.sharing import share_metrics
share_metrics()
from app.metrics import database, recognition, requests
recognition.begin_recognition()
for seconds in (0.003, 0.3, 3, 300):
    recognition.record_stage("detect", seconds)
recognition.record_quality(0.7)
requests.record_request('a "quoted" name\\\\', "detect", 202)
database.record_connections("app", 3)
"""


def _said(page: bytes) -> tuple[dict[object, float], set[tuple[str, str, str]]]:
    families = list(text_string_to_metric_families(page.decode()))
    values = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }
    return values, {(family.name, family.type, family.documentation) for family in families}


def test_the_page_says_what_the_library_would(tmp_path: Path) -> None:
    for _ in range(3):
        subprocess.run(  # noqa: S603 - our own code
            [sys.executable, "-c", _COUNT],
            cwd=ROOT,
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            check=True,
        )
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(tmp_path))

    page = shared_page(tmp_path)

    assert _said(page) == _said(generate_latest(registry))
    assert _said(page)[0]
