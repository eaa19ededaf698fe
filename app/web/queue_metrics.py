"""What PostgreSQL knows of the queue, as metrics: read at each scrape, the same from every host."""

from __future__ import annotations

import platform
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from app.services.upkeep.queue_snapshot import QueueSnapshot, queue_snapshot
from app.services.upkeep.replica_fitness import Fitness, replica_fitness

_ROOT = Path(__file__).parents[2]

_log = structlog.get_logger(__name__)


class QueueCollector(Collector):
    """Reads the queue once a scrape; says so when it cannot, and lets the other metrics through."""

    def collect(self) -> Iterable[Metric]:
        """What there is to tell, also without the database."""
        try:
            snapshot = queue_snapshot()
        except SQLAlchemyError as error:
            _log.warning("queue_not_scraped", error=str(error))
            return [build_info(), *_single(_of_database(up=False))]
        return [build_info(), *queue_metrics(snapshot), *replica_metrics(replica_fitness())]


def queue_metrics(snapshot: QueueSnapshot) -> Iterator[Metric]:
    """All of them, with what there is of each."""
    yield from _single([*_of_database(up=True), *_of_queue(snapshot)])
    yield from _labelled(snapshot)


def replica_metrics(found: Fitness | None) -> Iterator[Metric]:
    """Of the read replica; nothing is told of one that is not set, or of a lag nobody knows."""
    fit = _gauge("replica_up", "Whether the read replica can be read; absent without one")
    lag = _gauge("replica_lag_seconds", "How far the read replica is behind at most, if known")
    if found is not None:
        fit.add_metric([], int(found.fault is None))
        if found.lag_s is not None:
            lag.add_metric([], found.lag_s)
    yield from (fit, lag)


def _of_database(*, up: bool) -> list[tuple[str, str, float]]:
    return [("database_up", "Whether the database answered this scrape", float(up))]


def _of_queue(snapshot: QueueSnapshot) -> list[tuple[str, str, float]]:
    return [
        ("active_sessions", "Jobs that are under way", snapshot.processing_jobs),
        ("leased_shards", "Shards that workers hold", snapshot.leased_shards),
        (
            "shard_lease_age_seconds",
            "Longest time since a held lease was renewed",
            snapshot.oldest_lease_s,
        ),
        ("webhook_backlog", "Webhooks still to be delivered", snapshot.webhook_backlog),
        ("dead_letters", "Dead letters not redriven", snapshot.dead_letters),
        ("dispatcher_leaders", "Dispatchers that lead, of all hosts", snapshot.leaders),
        ("audit_unchained_events", "Audit events not chained yet", snapshot.unchained_events),
        (
            "audit_unchained_seconds",
            "Age of the oldest audit event that is not chained yet",
            snapshot.oldest_unchained_s,
        ),
    ]


def _single(rows: Sequence[tuple[str, str, float]]) -> Iterator[Metric]:
    for name, description, value in rows:
        family = _gauge(name, description)
        family.add_metric([], value)
        yield family


def _labelled(snapshot: QueueSnapshot) -> Iterator[Metric]:
    lane = ["model", "priority"]
    depth = _gauge("queue_depth", "Items that nobody holds", *lane)
    oldest = _gauge("oldest_pending_seconds", "Age of the oldest such item", *lane)
    for row in snapshot.pending:
        depth.add_metric([row.model, row.priority], float(row.open_items))
        oldest.add_metric([row.model, row.priority], float(row.oldest_s))
    waiting = _gauge("waiting_items", "The same by tenant, of those with most", "client_id")
    since = _gauge("waiting_seconds", "Age of the oldest such item of a tenant", "client_id")
    for row in snapshot.pending_of_clients:
        waiting.add_metric([str(row.tenant_id)], float(row.open_items))
        since.add_metric([str(row.tenant_id)], float(row.oldest_s))
    slots = _gauge("worker_slots", "Slots of live workers", "model")
    for model, count in snapshot.slots.items():
        slots.add_metric([model], count)
    away = _gauge("source_away_seconds", "Time since a bucket that does not answer did", "bucket")
    for pause in snapshot.pauses:
        away.add_metric([pause.bucket], pause.away_s)
    yield from (depth, oldest, waiting, since, slots, away)


def build_info() -> Metric:
    """The versions of the code, of the schema that it needs, and of Python."""
    family = _gauge("build_info", "What runs: always 1", "version", "schema", "python")
    family.add_metric([*_versions(), platform.python_version()], 1)
    return family


@cache
def _versions() -> tuple[str, str]:
    """Of the code and of the schema that it needs, as the files beside it tell."""
    project = _ROOT / "pyproject.toml"
    version = "unknown"
    if project.exists():
        version = str(tomllib.loads(project.read_text())["project"]["version"])
    return version, (_ROOT / "migrations/.current-alembic-head").read_text().strip()


def _gauge(name: str, description: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"face_recognition_{name}", description, labels=labels)
