"""Each process shows by a file's age that it is well, also where only its servers are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.processes import Processes, wait_until

NOWHERE = {
    "database": "postgresql+psycopg2://facequeue_queue:x@127.0.0.1:1/facequeue",
    "broker": "redis://127.0.0.1:1/0",
}


@pytest.fixture
def pulse(tmp_path: Path) -> Path:
    return tmp_path / "pulse"


@pytest.fixture
def begin(programs: Processes, pulse: Path) -> Callable[..., None]:
    """Starts a program of its own, which shows its pulse; what is named otherwise is so."""
    started: list[str] = []

    def start(name: str, **otherwise: str) -> None:
        program = programs.programs[name]
        own = replace(
            program,
            name=f"{name}-with-pulse",
            environment={**program.environment, "PULSE_FILE": str(pulse), **otherwise},
        )
        programs.programs = {**programs.programs, own.name: own}
        started.append(own.name)
        programs.start(own.name)

    yield start
    for name in started:
        programs.stop(name)


def renewed(file: Path) -> Callable[[], bool]:
    """Whether a file that there is, is touched again after this call."""
    wait_until(file.exists, seconds=90, what="a pulse")
    first = file.stat().st_mtime_ns
    return lambda: file.stat().st_mtime_ns > first


@pytest.mark.parametrize("name", ["default", "webhooks", "dispatcher"])
def test_a_process_shows_again_and_again_that_it_is_well(
    name: str, begin: Callable[..., None], pulse: Path
) -> None:
    begin(name)

    wait_until(renewed(pulse), seconds=60, what="another pulse")


@pytest.mark.usefixtures("models_dir")
def test_recognition_shows_it(begin: Callable[..., None], pulse: Path) -> None:
    begin("recognition")

    wait_until(renewed(pulse), seconds=90, what="another pulse")


def test_beat_shows_it(begin: Callable[..., None], pulse: Path) -> None:
    begin("beat")

    wait_until(renewed(pulse), seconds=90, what="another pulse")


def test_a_dispatcher_whose_database_is_away_is_well_itself(
    begin: Callable[..., None], pulse: Path
) -> None:
    begin("dispatcher", DATABASE_QUEUE_URL=NOWHERE["database"])

    wait_until(renewed(pulse), seconds=60, what="another pulse")


def test_a_worker_that_does_not_reach_the_broker_shows_none(
    begin: Callable[..., None], pulse: Path, programs: Processes
) -> None:
    log = programs.log("default-with-pulse")
    begin("default", CELERY_BROKER_URL=NOWHERE["broker"])

    wait_until(
        lambda: log.exists() and "Cannot connect to redis" in log.read_text(),
        seconds=90,
        what="an attempt to reach the broker",
    )
    assert not pulse.exists()
