"""docs/metrics.md lists each metric, with its labels and type."""

from __future__ import annotations

import re

from prometheus_client import REGISTRY
from prometheus_client.core import Metric
from prometheus_client.metrics import MetricWrapperBase

from app.metrics import (  # noqa: F401 - imported, and so registered
    database,
    recognition,
    requests,
    storage,
    webhooks,
)
from app.services.upkeep.queue_snapshot import QueueSnapshot
from app.web.queue_metrics import build_info, queue_metrics, replica_metrics
from scripts.stack.state import ROOT

PAGE = (ROOT / "docs/metrics.md").read_text()
EMPTY = QueueSnapshot(
    pending=[],
    pending_of_clients=[],
    leaders=1,
    unchained_events=0,
    oldest_unchained_s=0.0,
    leased_shards=0,
    oldest_lease_s=0.0,
    webhook_backlog=0,
    dead_letters=0,
    processing_jobs=0,
    slots={},
    pauses=[],
)


def _listed(part: str) -> set[tuple[str, str]]:
    """Each metric as it is written, and its type."""
    text = PAGE.split(f"\n## {part}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)` \| (\w+) \| \S", text, re.MULTILINE))


def _as_written(metric: Metric, labels: tuple[str, ...]) -> tuple[str, str]:
    name = metric.name + ("_total" if metric.type == "counter" else "")
    return name + (f"{{{','.join(labels)}}}" if labels else ""), metric.type


def test_every_metric_of_a_process_is_listed() -> None:
    recognition.begin_recognition()
    ours = {
        _as_written(described, metric._labelnames)
        for metric in list(REGISTRY._collector_to_names)
        if isinstance(metric, MetricWrapperBase)
        for described in metric.describe()
        if described.name.startswith("face")
    }

    assert _listed("Counted by the processes of a host") == ours


def test_every_metric_of_the_queue_is_listed() -> None:
    served = {
        _as_written(family, tuple(family._labelnames))
        for family in [build_info(), *queue_metrics(EMPTY), *replica_metrics(None)]
    }

    assert _listed("Read from PostgreSQL at each scrape") == served
