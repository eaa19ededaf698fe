"""Waiting for a job: prompt, and one connection however many wait."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import text

from app.domain.actor import SYSTEM
from app.domain.job_request import ItemRequest
from app.domain.names import NotifyChannel
from app.domain.states import Operation
from app.models.session import owner_transaction
from app.services.cancel_job import cancel_job
from app.services.wait_for_job import wait_until_terminal
from tests.factories.tenant_world import TenantWorld
from tests.support.processes import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("parked")]

WAITERS = 100


def test_a_hundred_waiters_share_one_connection_and_all_wake(
    app: Flask, world: TenantWorld
) -> None:
    job_id = world.submit(Operation.DETECT, ItemRequest("a", world.uri("a.jpg")))
    begun = threading.Semaphore(0)

    def wait() -> tuple[bool, float]:
        with app.app_context():
            begun.release()
            ended = wait_until_terminal(world.tenant_id, job_id, 30)
            return ended, time.monotonic()

    with ThreadPoolExecutor(WAITERS) as pool:
        answers = [pool.submit(wait) for _ in range(WAITERS)]
        for _ in range(WAITERS):
            begun.acquire()
        wait_until(lambda: app.extensions["job_hub"].waiting == WAITERS, what="all waiters")
        listening = connections_listening()
        canceled_at = time.monotonic()
        cancel_job(world.tenant_id, job_id, SYSTEM)
        results = [answer.result() for answer in answers]

    assert listening == 1
    assert all(ended for ended, _ in results)
    assert max(moment for _, moment in results) - canceled_at < 5


def test_a_wait_ends_with_its_time(world: TenantWorld) -> None:
    job_id = world.submit(Operation.DETECT, ItemRequest("a", world.uri("a.jpg")))

    assert wait_until_terminal(world.tenant_id, job_id, 0.2) is False


def test_a_job_that_ended_before_is_not_waited_for(world: TenantWorld) -> None:
    job_id = world.submit(Operation.DETECT, ItemRequest("a", world.uri("a.jpg")))
    cancel_job(world.tenant_id, job_id, SYSTEM)

    assert wait_until_terminal(world.tenant_id, job_id, 30)


def test_an_end_whose_notification_was_lost_is_noticed_all_the_same(
    app: Flask, world: TenantWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.finish_job.tell_jobs_finished", lambda _job_ids: None)
    job_id = world.submit(Operation.DETECT, ItemRequest("a", world.uri("a.jpg")))

    def wait() -> bool:
        with app.app_context():
            return wait_until_terminal(world.tenant_id, job_id, 20)

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(wait)
        wait_until(lambda: app.extensions["job_hub"].waiting > 0, what="the waiter")
        cancel_job(world.tenant_id, job_id, SYSTEM)
        assert answer.result()


def connections_listening() -> int:
    with owner_transaction() as session:
        return int(
            session.execute(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND application_name = :name"
                ),
                {"name": NotifyChannel.JOB_FINISHED.value},
            ).scalar_one()
        )
