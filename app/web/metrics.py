"""GET /metrics, for Prometheus. Keep it off the internet: it counts each tenant's work."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

import structlog
from flask import Blueprint, Flask, Response, current_app, g, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from app.config import Settings
from app.domain.request_errors import NotFound
from app.services.upkeep.queue_snapshot import QueueSnapshot, queue_snapshot
from app.services.upkeep.record_metrics import record_duration, record_request
from app.services.upkeep.replica_fitness import replica_fitness

blueprint = Blueprint("metrics", __name__)

_log = structlog.get_logger(__name__)


def init_metrics(app: Flask) -> None:
    """Count every request of the API itself."""
    app.after_request(_record)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Serve this host's processes' metrics, and the queue as Postgres has it."""
    settings: Settings = current_app.config["SETTINGS"]
    if not settings.prometheus_metrics_enabled:
        raise NotFound("PROMETHEUS_METRICS_ENABLED is off")
    queue = CollectorRegistry()
    queue.register(_QueueCollector())
    text = generate_latest(_processes(settings)) + generate_latest(queue)
    return Response(text, content_type=CONTENT_TYPE_LATEST)


def _processes(settings: Settings) -> CollectorRegistry:
    if settings.prometheus_multiproc_dir is None:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(settings.prometheus_multiproc_dir))  # type: ignore[no-untyped-call] # untyped there
    return registry


class _QueueCollector(Collector):
    """Reads the queue once a scrape; says so when it cannot, and lets the other metrics through."""

    def collect(self) -> Iterable[Metric]:
        try:
            snapshot = queue_snapshot()
        except SQLAlchemyError as error:
            _log.warning("queue_not_scraped", error=str(error))
            return [_gauge("database_up", "Whether the database answered this scrape", 0)]
        up = _gauge("database_up", "Whether the database answered this scrape", 1)
        return [up, *_single(snapshot), *_labelled(snapshot), *_replica()]


def _single(snapshot: QueueSnapshot) -> Iterator[Metric]:
    yield _gauge("active_sessions", "Jobs that are under way", snapshot.processing_jobs)
    yield _gauge("leased_shards", "Shards that workers hold", snapshot.leased_shards)
    yield _gauge(
        "shard_lease_age_seconds",
        "Longest time since a held lease was renewed",
        snapshot.oldest_lease_s,
    )
    yield _gauge("webhook_backlog", "Webhooks still to be delivered", snapshot.webhook_backlog)
    yield _gauge("dead_letters", "Dead letters not redriven", snapshot.dead_letters)


def _labelled(snapshot: QueueSnapshot) -> Iterator[Metric]:
    depth = _gauge("queue_depth", "Items that nobody holds", labels=["model", "priority"])
    oldest = _gauge(
        "oldest_pending_seconds", "Age of the oldest such item", labels=["model", "priority"]
    )
    for row in snapshot.pending:
        depth.add_metric([row.model, row.priority], float(row.open_items))
        oldest.add_metric([row.model, row.priority], float(row.oldest_s))
    slots = _gauge("worker_slots", "Slots of live workers", labels=["model"])
    for model, count in snapshot.slots.items():
        slots.add_metric([model], count)
    away = _gauge(
        "source_away_seconds", "Time since a bucket that does not answer did", labels=["bucket"]
    )
    for pause in snapshot.pauses:
        away.add_metric([pause.bucket], pause.away_s)
    yield from (depth, oldest, slots, away)


def _replica() -> Iterator[Metric]:
    found = replica_fitness()
    fit = _gauge("replica_up", "Whether the read replica answers; absent without one", labels=[])
    lag = _gauge("replica_lag_seconds", "How far it is behind at most, if known", labels=[])
    if found is not None:
        fit.add_metric([], int(found.fault is None))
        if found.lag_s is not None:
            lag.add_metric([], found.lag_s)
    yield from (fit, lag)


def _gauge(
    name: str, description: str, value: float | None = None, labels: list[str] | None = None
) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"face_recognition_{name}", description, value=value, labels=labels)


def _record(response: Response) -> Response:
    if request.path.startswith("/api/"):
        call = (request.endpoint or "unknown").rpartition(".")[2]
        caller = g.get("principal")
        client_id = str(caller.tenant_id) if caller else "anonymous"
        record_request(client_id, g.get("operation", call), response.status_code)
        record_duration(call, time.perf_counter() - g.started)
    return response
