"""Waiting for a job: prompt, and one connection however many wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import psycopg2
import pytest
from flask import Flask, current_app
from sqlalchemy import make_url, text

from app.database.transactions import owner_transaction
from app.domain.actor import SYSTEM
from app.domain.job_request import ItemRequest
from app.domain.names import NotifyChannel
from app.domain.states import Operation
from app.services.jobs.cancel_job import cancel_job
from app.services.jobs.wait_for_job import wait_until_terminal
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
    monkeypatch.setattr("app.services.jobs.finish_job.wake_at_commit", lambda *_: None)
    job_id = world.submit(Operation.DETECT, ItemRequest("a", world.uri("a.jpg")))

    def wait() -> bool:
        with app.app_context():
            return wait_until_terminal(world.tenant_id, job_id, 20)

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(wait)
        wait_until(lambda: app.extensions["job_hub"].waiting > 0, what="the waiter")
        cancel_job(world.tenant_id, job_id, SYSTEM)
        assert answer.result()


def test_only_the_end_of_a_job_that_somebody_waits_for_is_told(world: TenantWorld) -> None:
    item = ItemRequest("a", world.uri("a.jpg"))
    awaited = world.submit(Operation.DETECT, item, waiting=True)
    unawaited = world.submit(Operation.DETECT, item)

    with notifications() as told:
        for job_id in (unawaited, awaited):
            cancel_job(world.tenant_id, job_id, SYSTEM)
        wait_until(lambda: str(awaited) in told(), what="the end being told")
        assert str(unawaited) not in told()


@contextmanager
def notifications() -> Iterator[Callable[[], list[str]]]:
    """What is told of ended jobs while the block runs."""
    url = make_url(current_app.config["SETTINGS"].database_queue_url).set(drivername="postgresql")
    with closing(psycopg2.connect(url.render_as_string(hide_password=False))) as listening:
        listening.autocommit = True
        with listening.cursor() as cursor:
            cursor.execute(f"LISTEN {NotifyChannel.JOB_FINISHED.value}")

        def told() -> list[str]:
            listening.poll()
            return [notification.payload for notification in listening.notifies]

        yield told


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
