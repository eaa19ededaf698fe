"""What a run says to node_exporter's textfile collector, whatever becomes of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, write_to_textfile
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

_PREFIX = "facequeue_backup"
_LAST_SUCCESS = f"{_PREFIX}_last_success_timestamp_seconds"


@dataclass
class Run:
    """A run of one kind: `database`, `base`, `config`, `uploads`, `erasures` or `drill`."""

    kind: str
    size_bytes: int = 0


@dataclass(eq=False)
class _Found(Collector):
    """Numbers as they are. A Gauge of the library would also keep each in a file of its own.

    It would lie in PROMETHEUS_MULTIPROC_DIR, for the API to tell, or where that is empty in the
    folder that the command was given in.
    """

    families: list[GaugeMetricFamily]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self.families


@contextmanager
def measured(kind: str, folder: Path | None) -> Iterator[Run]:
    """Time a run and write its metrics; a failed one keeps the time of the last success.

    What cannot be written is told on standard error and changes nothing: a backup that is there is
    worth more than its metric, whose age raises the alarm.
    """
    run = Run(kind)
    started = time.time()
    succeeded = False
    try:
        yield run
        succeeded = True
    finally:
        if folder is not None:
            try:
                _write(folder / f"facequeue_backup_{kind}.prom", run, started, succeeded=succeeded)
            except OSError as error:
                print(f"Warning: no metrics in BACKUP_METRICS_DIR: {error}", file=sys.stderr)


def _write(path: Path, run: Run, started: float, *, succeeded: bool) -> None:
    last = time.time() if succeeded else _last_success(path)
    values = {
        f"{_PREFIX}_last_status": ("1 when the last run succeeded, 0 when it failed", succeeded),
        f"{_PREFIX}_duration_seconds": ("How long the last run took", time.time() - started),
        _LAST_SUCCESS: ("When a run last succeeded", last),
        f"{_PREFIX}_size_bytes": ("How large what the last run made is", run.size_bytes),
    }
    found = _Found([])
    for name, (help_text, value) in values.items():
        if value is not None:
            family = GaugeMetricFamily(name, help_text, labels=["kind"])
            family.add_metric([run.kind], value)
            found.families.append(family)
    registry = CollectorRegistry()
    registry.register(found)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_to_textfile(str(path), registry)
    path.chmod(0o644)  # node_exporter is another user


def _last_success(path: Path) -> float | None:
    if not path.exists():
        return None
    for family in text_string_to_metric_families(path.read_text(encoding="utf-8")):
        for sample in family.samples:
            if sample.name == _LAST_SUCCESS:
                return float(sample.value)
    return None
