"""Use case: an operator, or a load balancer, asks whether this host can serve.

Without PostgreSQL or with another schema it cannot. Without broker, S3 or workers it can still take
jobs, since Postgres is the queue of record: that is `degraded`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from flask import Flask, current_app
from kombu.exceptions import OperationalError as BrokerError
from redis import RedisError
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.adapters.broker import broker_connection
from app.adapters.mail import greet
from app.adapters.redis_client import redis_of
from app.adapters.redis_faults import redis_fault
from app.config import Settings
from app.database.base import db
from app.database.row_security import IS_UNBOUND
from app.database.transactions import queue_transaction
from app.domain.errors import ModelError
from app.domain.item_errors import (
    ItemError,
    StorageUnavailable,
)
from app.domain.model_registry import load_registry
from app.queries.queue_depth import live_slots, waiting_models
from app.queries.source_pauses import source_pauses
from app.services.tenancy.uploads import object_store
from app.services.upkeep.replica_fitness import replica_fitness

_DEADLINE_S = 3.0
_TIMEOUT_S = 2
# It is asked twice before it has failed.
_REDIS_TIMEOUT_S = 1
_HEAD_FILE = Path(__file__).parents[3] / "migrations" / ".current-alembic-head"


class Health(StrEnum):
    """`failed` for one dependency makes the whole `degraded`, or `unavailable` if it is vital."""

    OK = "ok"
    DEGRADED = "degraded"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Check:
    """The state of one dependency."""

    status: Health
    detail: str = ""
    duration_ms: float = 0.0


@dataclass(frozen=True)
class Readiness:
    """The state of the whole, and of each dependency by name."""

    status: Health
    checks: dict[str, Check]


_OK = Check(Health.OK)
_VITAL = ("postgres", "migrations")
# A mail server is asked so often at most, however often readiness is.
_MAIL_LOOK_S = 60.0


def check_readiness() -> Readiness:
    """Ask every dependency at once; one that has not answered after three seconds has failed."""
    flask_app: Flask = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 - Flask's own way
    pool = ThreadPoolExecutor(max_workers=len(_PROBES))
    futures = {name: pool.submit(_timed, flask_app, probe) for name, probe in _PROBES.items()}
    wait(futures.values(), timeout=_DEADLINE_S)
    pool.shutdown(wait=False, cancel_futures=True)
    checks = {name: _result(future) for name, future in futures.items()}
    if any(checks[name].status is Health.FAILED for name in _VITAL):
        return Readiness(Health.UNAVAILABLE, checks)
    fine = all(check.status is Health.OK for check in checks.values())
    return Readiness(Health.OK if fine else Health.DEGRADED, checks)


def _result(future: Future[Check]) -> Check:
    if not future.done():
        return Check(Health.FAILED, f"no answer in {_DEADLINE_S:.0f} s")
    return future.result()


def _timed(flask_app: Flask, probe: Callable[[Settings], Check]) -> Check:
    started = time.perf_counter()
    with flask_app.app_context():
        check = probe(flask_app.config["SETTINGS"])
    duration_ms = round((time.perf_counter() - started) * 1000, 1)
    return Check(check.status, check.detail, duration_ms)


def _postgres(_settings: Settings) -> Check:
    try:
        unbound = [
            engine for engine in (db.engine, db.engines["queue"]) if _scalar(engine, IS_UNBOUND)
        ]
    except SQLAlchemyError:
        return Check(Health.FAILED, "the database does not answer")
    if unbound:
        names = ", ".join(str(engine.url.username) for engine in unbound)
        return Check(Health.FAILED, f"row-level security does not bind {names}: use another role")
    return _OK


def _migrations(_settings: Settings) -> Check:
    wanted = _HEAD_FILE.read_text(encoding="utf-8").strip()
    try:
        found = _scalar(db.engine, "SELECT version_num FROM alembic_version")
    except SQLAlchemyError:
        return Check(Health.FAILED, "the schema's revision cannot be read")
    if found != wanted:
        return Check(Health.FAILED, f"the schema is at {found}, this version needs {wanted}")
    return _OK


def _replica(_settings: Settings) -> Check:
    found = replica_fitness()
    if found is None:
        return Check(Health.OK, "not configured: DATABASE_REPLICA_URL is not set")
    if found.fault:
        return Check(Health.DEGRADED, f"{found.fault}; the primary is read")
    return Check(Health.OK, f"at most {found.lag_s or 0:.1f} s behind")


def _broker(settings: Settings) -> Check:
    try:
        with broker_connection(settings, _REDIS_TIMEOUT_S) as connection:
            # Without the seconds that kombu would sleep before it tries again.
            connection.ensure_connection(max_retries=1, interval_start=0)
    except (BrokerError, OSError, RedisError) as error:
        return Check(Health.FAILED, f"the broker {redis_fault(error)}; jobs wait")
    return _OK


def _cache(settings: Settings) -> Check:
    try:
        with redis_of(settings, timeout_s=_REDIS_TIMEOUT_S) as redis:
            redis.ping()
    except RedisError as error:
        return Check(
            Health.FAILED, f"Redis {redis_fault(error)}; each process counts requests alone"
        )
    return _OK


def _storage(settings: Settings) -> Check:
    return _bucket(settings, settings.aws_storage_bucket_name, "uploads")


def _checkpoints(settings: Settings) -> Check:
    place = settings.audit_checkpoint_bucket
    if place is None:
        return Check(Health.OK, "not configured: AUDIT_CHECKPOINT_BUCKET is not set")
    return _bucket(settings, place.removeprefix("s3://").partition("/")[0], "checkpoints")


def _bucket(settings: Settings, bucket: str, kept: str) -> Check:
    try:
        object_store(settings).check(bucket)
    except StorageUnavailable:
        return Check(Health.FAILED, f"the bucket for {kept} does not answer")
    except ItemError as error:
        return Check(Health.FAILED, f"{error.code}: {error.message}")
    return _OK


def _mail(settings: Settings) -> Check:
    if settings.email_host is None:
        return Check(Health.OK, "not configured: EMAIL_HOST is not set")
    return _mail_within(settings, round(time.monotonic() / _MAIL_LOOK_S))


@lru_cache(maxsize=1)
def _mail_within(settings: Settings, _minute: int) -> Check:
    if mail_fault := greet(settings, timeout_s=_TIMEOUT_S):
        return Check(Health.FAILED, f"the mail server is of no use, mails wait: {mail_fault}")
    return _OK


def _sources(_settings: Settings) -> Check:
    try:
        with queue_transaction() as session:
            pauses = source_pauses(session)
    except SQLAlchemyError:
        return Check(Health.FAILED, "the sources of images cannot be looked up")
    if not pauses:
        return _OK
    away = (f"{p.bucket} ({p.last_error}) for {p.away_s:.0f} s" for p in pauses)
    return Check(Health.DEGRADED, f"do not answer, their images wait: {', '.join(away)}")


def _workers(settings: Settings) -> Check:
    try:
        with queue_transaction() as session:
            slots = live_slots(session)
            needed = waiting_models(session) | {_offered(settings)}
    except SQLAlchemyError:
        return Check(Health.FAILED, "the workers' heartbeats cannot be read")
    except ModelError as error:
        return Check(Health.DEGRADED, str(error))
    idle = sorted(needed - slots.keys())
    if idle:
        return Check(Health.DEGRADED, f"no live worker for {', '.join(idle)}; its jobs wait")
    return Check(Health.OK, ", ".join(f"{model}: {slots[model]}" for model in sorted(slots)))


def _offered(settings: Settings) -> str:
    registry = load_registry(settings.models_dir, flip_averaging=settings.face_flip_averaging)
    return registry.model(settings.face_recognition_model).identity


def _scalar(engine: Engine, statement: str) -> object:
    with engine.connect() as connection:
        return connection.execute(text(statement)).scalar()


_PROBES: dict[str, Callable[[Settings], Check]] = {
    "postgres": _postgres,
    "migrations": _migrations,
    "replica": _replica,
    "broker": _broker,
    "cache": _cache,
    "storage": _storage,
    "checkpoints": _checkpoints,
    "mail": _mail,
    "sources": _sources,
    "workers": _workers,
}
