"""The services: what an API depends on, what works and waits, and who answers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from ipaddress import ip_address

import requests
from flask import Flask
from sqlalchemy import text

from app.adapters.task_queue import make_celery
from app.config import Settings
from app.database.transactions import queue_transaction
from app.domain.names import QueueName, TaskName
from app.services.upkeep.check_readiness import Health, Readiness
from app.services.upkeep.queue_snapshot import queue_snapshot
from scripts.watching.findings import Finding, Status, age, by_limits

_TIMEOUT_S = 3
# Readiness itself gives its probes three seconds.
_READY_S = 6
# A busy worker may answer late.
_LOOKS = 2
_FLOWER = "http://127.0.0.1:5555/flower"
# Without these nothing is done, or nothing can be sent; without the others something waits.
_VITAL = {"postgres", "migrations", "broker", "storage"}
_NO_DATABASE = "the database does not answer"
# As deploy/monitoring/alert_rules.yml has them.
_OLD_S, _VERY_OLD_S = 900, 3600
_MANY_WEBHOOKS, _TOO_MANY_WEBHOOKS = 1000, 20_000
# The chore that is fired each minute.
_LATE_S, _VERY_LATE_S = 300, 900
_LAST_TURN = text("""
SELECT extract(epoch FROM now() - taken_at) FROM chore_turns WHERE chore = :chore
""")


def dependencies(ready: Readiness) -> Sequence[Finding]:
    """What readiness says, asked from this process: it needs no API."""
    return [
        Finding(name, _status(name, check.status, check.detail), check.detail)
        for name, check in ready.checks.items()
    ]


def _status(name: str, health: Health, detail: str) -> Status:
    if health is Health.OK:
        return Status.OFF if detail.startswith("not configured") else Status.OK
    return Status.CRITICAL if health is Health.FAILED and name in _VITAL else Status.WARNING


def api(address: str | None) -> Sequence[Finding]:
    """Whether an API process answers, and says that it can serve."""
    address = (address or _own_address()).rstrip("/")
    try:
        lives = requests.get(f"{address}/health/", timeout=_TIMEOUT_S)
        ready = requests.get(f"{address}/health/ready/", timeout=_READY_S)
    except requests.RequestException as error:
        return [Finding("api", Status.CRITICAL, f"{address}: {type(error).__name__}")]
    if not lives.ok:
        return [Finding("api", Status.CRITICAL, f"{address}: answers {lives.status_code}")]
    status = Status.OK if ready.ok else Status.CRITICAL
    took_ms = lives.elapsed.total_seconds() * 1000
    says = ready.json().get("status") if ready.ok else f"not ready, {ready.status_code}"
    return [Finding("api", status, f"{address}: {says}, answers in {took_ms:.0f} ms")]


def flower(address: str | None) -> Sequence[Finding]:
    """Whether Flower answers; nothing depends on it."""
    address = (address or os.environ.get("FLOWER_URL") or _FLOWER).rstrip("/")
    try:
        answer = requests.get(f"{address}/healthcheck", timeout=_TIMEOUT_S)
    except requests.RequestException as error:
        return [Finding("flower", Status.WARNING, f"{address}: {type(error).__name__}")]
    status = Status.OK if answer.ok else Status.WARNING
    return [Finding("flower", status, f"{address}: answers {answer.status_code}")]


def _own_address() -> str:
    named = os.environ.get("FACEQUEUE_URL")
    host, _, port = os.environ.get("GUNICORN_BIND", "127.0.0.1:8000").rpartition(":")
    try:
        everywhere = ip_address(host.strip("[]")).is_unspecified
    except ValueError:  # a name
        everywhere = not host
    return named or f"http://{'127.0.0.1' if everywhere else host}:{port}"


def queue(app: Flask, *, has_database: bool) -> Sequence[Finding]:
    """Who leads, and what waits for how long."""
    if not has_database:
        return [Finding("dispatcher", Status.UNKNOWN, _NO_DATABASE)]
    with app.app_context():
        found = queue_snapshot()
    oldest_s = max((float(row.oldest_s) for row in found.pending), default=0.0)
    stuck = found.pending_items and not found.slots
    waits = f"{found.pending_items} items, the oldest for {age(oldest_s)}"
    return [
        Finding("dispatcher", Status.OK, "one leads")
        if found.leaders
        else Finding("dispatcher", Status.CRITICAL, "none leads: nothing new starts"),
        Finding("waiting", Status.CRITICAL, f"{waits}, and no recognition worker is alive")
        if stuck
        else Finding("waiting", by_limits(oldest_s, _OLD_S, _VERY_OLD_S), waits),
        Finding(
            "webhooks waiting",
            by_limits(found.webhook_backlog, _MANY_WEBHOOKS, _TOO_MANY_WEBHOOKS),
            f"{found.webhook_backlog}",
        ),
        Finding(
            "dead letters",
            Status.WARNING if found.dead_letters else Status.OK,
            f"{found.dead_letters}",
        ),
    ]


def beat(app: Flask, *, has_database: bool) -> Sequence[Finding]:
    """Whether chores are fired and run: the last turn of one that is due each minute."""
    if not has_database:
        return [Finding("beat", Status.UNKNOWN, _NO_DATABASE)]
    with app.app_context(), queue_transaction() as session:
        late_s = session.execute(_LAST_TURN, {"chore": TaskName.RECONCILE.value}).scalar()
    if late_s is None:
        return [Finding("beat", Status.WARNING, "no chore has run yet: do beat and chores run?")]
    said = f"the last chore of each minute ran {age(float(late_s))} ago"
    return [Finding("beat", by_limits(float(late_s), _LATE_S, _VERY_LATE_S), said)]


def workers(settings: Settings, *, has_broker: bool) -> Sequence[Finding]:
    """Which Celery workers answer, by queue."""
    if not has_broker:
        return [Finding("workers of queues", Status.UNKNOWN, "the broker does not answer")]
    celery = make_celery(settings)
    serving: dict[str, set[str]] = {}
    for _ in range(_LOOKS):
        answers = celery.control.inspect(timeout=_TIMEOUT_S).active_queues() or {}
        for worker, queues in answers.items():
            for served in queues:
                serving.setdefault(served["name"], set()).add(worker)
        if serving.keys() >= set(QueueName):
            break
    return [_queue_finding(name, sorted(serving.get(name, ())), settings) for name in QueueName]


def _queue_finding(name: QueueName, answering: Sequence[str], settings: Settings) -> Finding:
    label = f"queue {name.value}"
    if answering:
        return Finding(label, Status.OK, ", ".join(answering))
    if name is QueueName.WEBHOOKS and not settings.enable_webhooks:
        return Finding(label, Status.OFF, "no worker answers; ENABLE_WEBHOOKS is off")
    status = Status.WARNING if name is QueueName.ANALYTICS else Status.CRITICAL
    return Finding(label, status, "no worker answers")
