"""GET /metrics, for Prometheus. Keep it off the internet: it counts each tenant's work."""

from __future__ import annotations

from flask import Blueprint, Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from app.config import Settings
from app.domain.request_errors import NotFound
from app.metrics.dead_processes import fold_now_and_then
from app.metrics.shared_page import shared_page
from app.web.queue_metrics import QueueCollector

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Serve this host's processes' metrics, and the queue as Postgres has it."""
    settings: Settings = current_app.config["SETTINGS"]
    if not settings.prometheus_metrics_enabled:
        raise NotFound("PROMETHEUS_METRICS_ENABLED is off")
    queue = CollectorRegistry()
    queue.register(QueueCollector())
    text = _of_processes(settings) + generate_latest(queue)
    return Response(text, content_type=CONTENT_TYPE_LATEST)


def _of_processes(settings: Settings) -> bytes:
    folder = settings.prometheus_multiproc_dir
    if folder is None:
        return generate_latest(REGISTRY)
    folder.mkdir(parents=True, exist_ok=True)
    fold_now_and_then(folder)
    return shared_page(folder)
