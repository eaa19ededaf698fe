"""Wake-ups, publishes and whole brokers that are lost: Postgres is the queue, Redis is a hint."""

from __future__ import annotations

import os
import signal
import time
from uuid import UUID

import pytest
import redis
from flask import current_app

from app.domain.states import ShardState
from app.services.jobs import submit_job
from tests.chaos.conftest import HINT_S, Battlefield
from tests.support.processes import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.slow]


def _ignore() -> None:
    """The process died before it could tell anybody."""


def test_a_job_whose_wake_up_was_lost_starts_within_seconds(
    field: Battlefield, monkeypatch: pytest.MonkeyPatch
) -> None:
    field.assert_whole(field.submit(1))
    monkeypatch.setattr(submit_job, "wake_dispatcher", _ignore)
    job = field.assert_whole(field.submit(1))

    assert job.started_at is not None
    assert (job.started_at - job.created_at).total_seconds() < 5


def test_a_dispatcher_that_dies_between_commit_and_publish_loses_nothing(
    field: Battlefield,
) -> None:
    field.programs.kill("dispatcher")
    field.cut_file.write_text(str(UUID(int=0)))
    field.programs.start("dying-dispatcher")
    job_id = field.submit(1)
    wait_until(lambda: not field.programs.alive("dying-dispatcher"), what="the dispatcher's death")
    shard = field.shard(job_id)
    assert (shard.state, shard.hint_expires_at is not None) == (ShardState.PENDING, True)

    field.start("dispatcher")
    job = field.assert_whole(job_id)
    assert job.started_at is not None
    assert (job.started_at - job.created_at).total_seconds() < HINT_S + 15


def test_a_second_dispatcher_takes_over_from_a_killed_one(field: Battlefield) -> None:
    field.assert_whole(field.submit(1))  # so this one leads
    field.programs.start("standby-dispatcher")

    field.programs.kill("dispatcher")

    field.assert_whole(field.submit(1))
    field.programs.kill("standby-dispatcher")


def test_a_second_dispatcher_takes_over_from_one_that_stands_still(field: Battlefield) -> None:
    field.assert_whole(field.submit(1))  # so this one leads
    field.programs.start("standby-dispatcher")
    leader = field.programs.running["dispatcher"].pid

    os.kill(leader, signal.SIGSTOP)
    try:
        field.assert_whole(field.submit(1))
    finally:
        os.kill(leader, signal.SIGCONT)
        field.programs.kill("standby-dispatcher")


def test_jobs_in_flight_survive_a_flushed_broker(field: Battlefield) -> None:
    url = current_app.config["SETTINGS"].broker_url
    began = time.monotonic()
    jobs = []
    with redis.Redis.from_url(url) as broker:
        for number in range(20):
            jobs.append(field.submit(1 + number % 3))
            broker.flushdb()
    for job_id in jobs:
        field.assert_whole(job_id)
    assert time.monotonic() - began < 120
