from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from app.domain.webhooks import CONCURRENT_PER_ENDPOINT, DELIVERY_LEASE, Outcome
from app.services.webhooks.delivery_hints import claim_delivery_hints
from app.services.webhooks.delivery_lease import lease_delivery
from app.services.webhooks.record_outcome import record_outcome

WORKER_THREADS = 4


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def threads(sender: Any) -> Iterator[Callable[[UUID], Any]]:
    """A pool of threads as the webhooks worker has; call it with a delivery to hint at it."""

    def task(delivery_id: UUID) -> int:
        with sender.app.app_context():
            return int(sender.deliver(delivery_id))

    with ThreadPoolExecutor(WORKER_THREADS) as pool:
        yield lambda delivery_id: pool.submit(task, delivery_id)


class Gate:
    """Holds a receiver's answers back, and knows how many requests wait in it."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._lock = threading.Lock()
        self.waiting = 0
        self.most = 0

    def __call__(self) -> None:
        with self._lock:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
        self._open.wait(15)
        with self._lock:
            self.waiting -= 1

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def test_a_slow_receiver_does_not_delay_the_others(
    sender: Any, receiver: Any, other_receiver: Any, threads: Any, gate: Gate
) -> None:
    receiver.before_answer = gate
    slow, fast = sender.endpoint(receiver.url)[0], sender.endpoint(other_receiver.url)[0]
    slow_events = [sender.event(slow, now()) for _ in range(10)]
    fast_events = [sender.event(fast, now()) for _ in range(10)]

    for event in slow_events:
        threads(event)
    until(lambda: gate.waiting == CONCURRENT_PER_ENDPOINT)
    for event in fast_events:
        threads(event)
    until(lambda: len(other_receiver.received) == len(fast_events))

    assert gate.waiting == CONCURRENT_PER_ENDPOINT
    assert len(receiver.received) == CONCURRENT_PER_ENDPOINT


def test_the_worker_that_frees_a_place_takes_the_next_delivery_of_the_endpoint(
    sender: Any, receiver: Any, threads: Any, gate: Gate
) -> None:
    receiver.before_answer = gate
    endpoint, _ = sender.endpoint(receiver.url)
    events = [sender.event(endpoint, now()) for _ in range(10)]

    hints = [threads(event) for event in events]
    until(lambda: gate.waiting == CONCURRENT_PER_ENDPOINT)
    gate.open()
    attempts = [hint.result(15) for hint in hints]

    assert sum(attempts) == len(events)
    assert sender.states() == ["delivered"] * len(events)
    assert gate.most == CONCURRENT_PER_ENDPOINT


def test_a_hint_that_comes_many_times_makes_one_attempt(
    sender: Any, receiver: Any, threads: Any
) -> None:
    event = sender.event(sender.endpoint(receiver.url)[0], now())

    attempts = [hint.result(15) for hint in [threads(event) for _ in range(20)]]

    assert sum(attempts) == 1
    assert len(receiver.received) == 1


def test_a_delivery_whose_worker_died_is_due_again_when_its_lease_ends(
    sender: Any, receiver: Any
) -> None:
    moment = now()
    event = sender.event(sender.endpoint(receiver.url)[0], moment)
    assert lease_delivery(sender.tenant_id, event, moment)  # and the worker dies

    assert sender.deliver(event, moment + DELIVERY_LEASE / 2) == 0
    assert sender.deliver(event, moment + DELIVERY_LEASE) == 1

    assert sender.read_delivery(event).state == "delivered"


def test_a_worker_that_comes_back_after_its_lease_changes_nothing_but_the_record(
    sender: Any, receiver: Any
) -> None:
    moment = now()
    event = sender.event(sender.endpoint(receiver.url)[0], moment)
    late = lease_delivery(sender.tenant_id, event, moment)
    sender.deliver(event, moment + DELIVERY_LEASE)

    record_outcome(late, Outcome(duration_ms=1, status_code=500), moment + 2 * DELIVERY_LEASE)

    delivery = sender.read_delivery(event)
    assert (delivery.state, delivery.attempt_count) == ("delivered", 1)
    assert [attempt.status_code for attempt in sender.attempts(event)] == [200, 500]


def test_a_lease_does_not_show_the_secret_when_it_is_printed(sender: Any, receiver: Any) -> None:
    moment = now()
    endpoint, secret = sender.endpoint(receiver.url)

    leased = lease_delivery(sender.tenant_id, sender.event(endpoint, moment), moment)

    assert leased.secrets == (secret,)
    assert secret not in repr(leased)


def claimed_of(sender: Any, events: list[UUID], **options: Any) -> list[UUID]:
    """Which of our events the dispatcher would publish now; other tests' tenants are left out."""
    hints = claim_delivery_hints(20.0, **options)
    assert all(isinstance(value, str) for hint in hints for value in hint)
    return [event for event in events if (str(event), str(sender.tenant_id)) in hints]


def test_the_dispatcher_takes_few_deliveries_of_an_endpoint_at_a_time(
    sender: Any, receiver: Any
) -> None:
    endpoint, _ = sender.endpoint(receiver.url)
    events = [sender.event(endpoint, now()) for _ in range(10)]

    assert len(claimed_of(sender, events, at_most=10_000)) == CONCURRENT_PER_ENDPOINT
    assert claimed_of(sender, events, at_most=10_000) == []


def test_a_long_backlog_of_one_endpoint_does_not_hold_up_another(
    sender: Any, receiver: Any
) -> None:
    long_ago = now() - dt.timedelta(days=365)
    busy, quiet = (sender.endpoint(f"{receiver.url}/{n}")[0] for n in range(2))
    backlog = [sender.event(busy, long_ago) for _ in range(50)]
    single = sender.event(quiet, long_ago + dt.timedelta(hours=1))

    assert single in claimed_of(sender, [*backlog, single], at_most=10)


def test_the_first_of_each_endpoint_comes_before_the_second_of_any(
    sender: Any, receiver: Any
) -> None:
    long_ago = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    endpoints = [sender.endpoint(f"{receiver.url}/{n}")[0] for n in range(4)]
    events = [
        sender.event(endpoint, long_ago + dt.timedelta(hours=hours))
        for hours, endpoint in enumerate(endpoints)
        for _ in range(CONCURRENT_PER_ENDPOINT)
    ]

    claimed = claimed_of(sender, events, at_most=len(endpoints))

    assert {sender.read_delivery(event).endpoint_id for event in claimed} == set(endpoints)


def test_a_hint_that_was_lost_is_given_again_when_it_expires(sender: Any, receiver: Any) -> None:
    event = sender.event(sender.endpoint(receiver.url)[0], now())

    first = claim_delivery_hints(0.0, at_most=10_000)
    again = claim_delivery_hints(20.0, at_most=10_000)

    hint = (str(event), str(sender.tenant_id))
    assert hint in first
    assert hint in again


def test_a_delivery_that_is_under_way_or_not_yet_due_is_not_hinted(
    sender: Any, receiver: Any
) -> None:
    endpoint, _ = sender.endpoint(receiver.url)
    under_way = sender.event(endpoint, now())
    later = sender.event(endpoint, now() + dt.timedelta(hours=1))
    assert lease_delivery(sender.tenant_id, under_way, now())

    assert claimed_of(sender, [under_way, later], at_most=10_000) == []
