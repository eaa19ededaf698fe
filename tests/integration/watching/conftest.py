"""FaceQueue's processes, told of a Sentry that the test reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from app.database.transactions import owner_transaction
from scripts.stack import application
from scripts.stack.state import State
from tests.support.processes import Processes
from tests.support.sentry_sink import Sink, sentry_sink

Refusing = Callable[[str], AbstractContextManager[None]]


@pytest.fixture
def sink() -> Iterator[Sink]:
    with sentry_sink() as opened:
        yield opened


@pytest.fixture
def reporting(
    services: State,
    stack_environment: dict[str, str],
    programs: Processes,
    models_dir: Path,
    sink: Sink,
    tmp_path: Path,
) -> Iterator[Processes]:
    """None of them started; every error and every trace is reported to the sink."""
    del models_dir
    programs.stop_all()  # they would take the work
    found = {program.name: program for program in application.programs(services)}
    told = {
        "SENTRY_DSN": sink.dsn,
        "SENTRY_ENVIRONMENT": "trial",
        "SENTRY_TRACES_SAMPLE_RATE": "1.0",
    }
    started = Processes(found, {**stack_environment, **told}, tmp_path)
    yield started
    started.stop_all()


@pytest.fixture
def refusing(app: Flask) -> Refusing:
    """Take a right on a table from the API's and the workers' role, and give it back: a bug."""
    del app

    @contextmanager
    def without(right: str) -> Iterator[None]:
        with owner_transaction() as session:
            session.execute(text(f"REVOKE {right} FROM facequeue_app"))
        try:
            yield
        finally:
            with owner_transaction() as session:
                session.execute(text(f"GRANT {right} TO facequeue_app"))

    return without
