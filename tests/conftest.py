"""Real services for every test: the embedded stack, with a database, a bucket and a Redis each.

Nothing is started until a test asks for it; unit tests run without any service.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app import create_app
from app.config import Settings, load_settings
from app.database.base import db
from app.database.transactions import owner_transaction
from scripts.stack import lifecycle, object_store
from scripts.stack.assets import fetch_portraits
from scripts.stack.databases import claim_slot, clone_template, drop_database, environment_of
from scripts.stack.environment import redis_url
from scripts.stack.ports import choose_port
from scripts.stack.state import DEFAULT_STATE, ROOT, State, locked
from tests.support.emptying import truncate
from tests.support.processes import WORKERS, Processes, processes, wait_until

# Names another broker for the same tests, such as a RabbitMQ server (with one testing process).
OTHER_BROKER = "FACEQUEUE_TEST_BROKER_URL"

TEST_STATE = DEFAULT_STATE / "test"


@pytest.fixture(scope="session")
def services() -> State:
    """PostgreSQL, Redis and S3 of the tests' stack; started if they are not, and left running."""
    return lifecycle.up(TEST_STATE, everything=False, report=lambda _: None)


@pytest.fixture(scope="session")
def slot(services: State) -> Iterator[int]:
    """The number of this testing process: its database, Redis numbers and bucket carry it."""
    with claim_slot(services) as number:
        yield number


@pytest.fixture(scope="session")
def stack_environment(services: State, slot: int) -> Iterator[dict[str, str]]:
    """The settings of this testing process, for programs that it starts and for itself."""
    database, bucket = f"facequeue_test_{slot}", f"test-{slot}"
    clone_template(services, database)
    _empty_bucket(services, bucket)
    own = {
        "AWS_STORAGE_BUCKET_NAME": bucket,
        "REDIS_URL": redis_url(services, 2 * slot),
        "CELERY_BROKER_URL": os.environ.get(OTHER_BROKER) or redis_url(services, 2 * slot),
        "CACHE_URL": redis_url(services, 2 * slot + 1),
        "WEBHOOK_ALLOWED_HOSTS": f"127.0.0.1:{choose_port(services)}",
    }
    environment = {**environment_of(services, database), **own}
    _flush_redis(environment)
    before = dict(os.environ)
    os.environ.update(environment)
    yield environment
    os.environ.clear()
    os.environ.update(before)
    drop_database(services, database)


@pytest.fixture(scope="session")
def settings(stack_environment: dict[str, str]) -> Settings:
    """What a process of this environment reads."""
    del stack_environment  # it is in os.environ
    return load_settings()


@pytest.fixture(scope="session")
def _app(settings: Settings) -> Flask:
    return create_app(settings)


@pytest.fixture
def app(_app: Flask) -> Iterator[Flask]:
    """The application, in its context, on a database that earlier tests may have written to."""
    with _app.app_context():
        yield _app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Requests without a socket."""
    return app.test_client()


@pytest.fixture
def empty_database(app: Flask) -> None:
    """No rows at all, for tests that count what is in the whole system."""
    del app
    tables = ", ".join(f'"{table.name}"' for table in db.metadata.sorted_tables)
    truncate(tables)


@pytest.fixture(scope="session")
def portraits() -> Path:
    """The folder of public-domain portraits; fetched once."""
    with locked(DEFAULT_STATE):
        return fetch_portraits()


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The folder of verified weights of SFace; fetched once."""
    folder = DEFAULT_STATE / "models"
    with locked(DEFAULT_STATE):
        folder.mkdir(mode=0o700, exist_ok=True)
        subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-c", _INSTALL, "install", "SFace"],
            cwd=ROOT,
            env={**os.environ, "MODELS_DIR": str(folder)},
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return folder


# The command alone: weights need no settings.
_INSTALL = "from workers.commands.installed_models import models; models()"


@pytest.fixture(scope="session")
def programs(services: State, stack_environment: dict[str, str], slot: int) -> Iterator[Processes]:
    """FaceQueue's own programs, none of them started: start, stop and kill them by name."""
    with processes(services, stack_environment, services.logs / f"test-{slot}") as started:
        yield started


@pytest.fixture
def nobody_works(programs: Processes) -> None:
    """Workers that an earlier test left running would take the jobs."""
    programs.stop_all()


@pytest.fixture(scope="session")
def _workers(programs: Processes, models_dir: Path, _app: Flask) -> Processes:
    del models_dir
    programs.ensure(*WORKERS)
    return programs


@pytest.fixture
def workers(_workers: Processes, app: Flask) -> Processes:
    """Running workers of all queues and a dispatcher; restarted if a test ended one."""
    del app
    _workers.ensure(*WORKERS)
    wait_until(_worker_beats, seconds=60, what="a recognition worker's heartbeat")
    return _workers


def _worker_beats() -> bool:
    with owner_transaction() as session:
        fresh = "SELECT count(*) FROM workers WHERE seen_at > now() - interval '10 s'"
        return bool(session.execute(text(fresh)).scalar_one())


def _empty_bucket(services: State, bucket: str) -> None:
    s3 = object_store.client(services)
    object_store.make_bucket(s3, bucket)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        keys = [{"Key": item["Key"]} for item in page.get("Contents", ())]
        if keys:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})


def _flush_redis(environment: dict[str, str]) -> None:
    import redis

    for name in ("REDIS_URL", "CACHE_URL"):
        with redis.Redis.from_url(environment[name]) as connection:
            connection.flushdb()
