from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any

import pytest

from app.domain.actor import SYSTEM
from app.domain.identifiers import new_id
from app.domain.request_errors import (
    DeliveryNotReplayable,
    EndpointDisabled,
    NotFound,
)
from app.domain.webhooks import ATTEMPT_GAPS
from app.services.upkeep.roll_up_usage import roll_up_usage
from app.services.webhooks.replay_delivery import replay_delivery
from tests.factories.usage import rolled_up

START = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def test_a_delivery_is_done_after_one_success(sender: Any, receiver: Any) -> None:
    endpoint, _ = sender.endpoint(receiver.url)
    event = sender.event(endpoint, START)

    assert sender.deliver(event, START) == 1
    assert sender.deliver(event, START + DAY) == 0

    assert len(receiver.received) == 1
    assert sender.read_delivery(event).state == "delivered"
    assert sender.read_endpoint(endpoint).last_success_at == START


def test_an_attempt_is_recorded_with_status_duration_and_first_bytes(
    sender: Any, receiver: Any
) -> None:
    receiver.status, receiver.body = 503, b"try later" + b"." * 5000
    event = sender.event(sender.endpoint(receiver.url)[0], START)

    sender.deliver(event, START)

    [attempt] = sender.attempts(event)
    assert (attempt.attempted_at, attempt.status_code, attempt.error) == (START, 503, None)
    assert attempt.response_excerpt == ("try later" + "." * 5000)[:1024]
    assert 0 <= attempt.duration_ms < 5000


def test_every_attempt_counts_as_usage_by_what_became_of_it(sender: Any, receiver: Any) -> None:
    event = sender.event(sender.endpoint(receiver.url)[0], START)
    receiver.status = 503
    sender.deliver(event, START)
    receiver.status = 200
    sender.deliver(event, START + DAY)

    roll_up_usage()

    assert rolled_up(sender.tenant_id) == {
        ("webhook", "failed"): (0, 0, 1),
        ("webhook", "succeeded"): (0, 0, 1),
    }


def test_an_attempt_that_reached_nobody_is_recorded_with_its_code(sender: Any) -> None:
    event = sender.event(sender.endpoint("http://127.0.0.1:9/")[0], START)

    sender.deliver(event, START)

    [attempt] = sender.attempts(event)
    assert attempt.status_code is None
    assert attempt.error.startswith("webhook_unreachable: ")


def test_an_attempt_at_an_address_no_longer_listed_is_recorded_with_its_reason(
    sender: Any, receiver: Any
) -> None:
    event = sender.event(sender.endpoint(receiver.url)[0], START)
    sender.allow("127.0.0.1")

    sender.deliver(event, START)

    [attempt] = sender.attempts(event)
    assert attempt.error == (
        "webhook_address_forbidden: the host leads to an address that webhooks may not reach, "
        f"or not at port {receiver.port}"
    )
    assert receiver.received == []


def test_a_redirect_is_a_failure(sender: Any, receiver: Any, other_receiver: Any) -> None:
    receiver.status, receiver.headers = 302, {"Location": other_receiver.url}
    event = sender.event(sender.endpoint(receiver.url)[0], START)

    sender.deliver(event, START)

    assert sender.read_delivery(event).state == "pending"
    assert other_receiver.received == []


def test_failures_are_tried_again_after_the_gaps_of_the_contract(
    sender: Any, receiver: Any
) -> None:
    receiver.status = 500
    event = sender.event(sender.endpoint(receiver.url)[0], START)

    sender.run_clock(START + 10 * DAY)

    moments = [START, *(attempt.attempted_at for attempt in sender.attempts(event))]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert len(gaps) == len(ATTEMPT_GAPS)
    for gap, nominal in zip(gaps, ATTEMPT_GAPS, strict=True):
        assert 0.8 * nominal <= gap <= 1.2 * nominal
    assert any(gap != nominal for gap, nominal in zip(gaps, ATTEMPT_GAPS, strict=True))


def test_a_delivery_is_exhausted_after_its_last_attempt(sender: Any, receiver: Any) -> None:
    receiver.status = 500
    event = sender.event(sender.endpoint(receiver.url)[0], START)

    sender.run_clock(START + 10 * DAY)

    delivery = sender.read_delivery(event)
    assert (delivery.state, delivery.attempt_count) == ("exhausted", 10)
    assert delivery.finished_at == sender.attempts(event)[-1].attempted_at


def test_a_receiver_that_is_down_for_a_day_misses_nothing(sender: Any, receiver: Any) -> None:
    endpoint, _ = sender.endpoint(receiver.url)
    events = [sender.event(endpoint, START + hour * HOUR) for hour in range(30)]
    receiver.status = 503
    sender.run_clock(START + DAY)
    receiver.received.clear()

    receiver.status = 200
    sender.run_clock(START + 6 * DAY)

    arrived = {request.headers["webhook-id"] for request in receiver.received}
    assert arrived == {str(event) for event in events}
    assert set(sender.states()) == {"delivered"}
    assert sender.read_endpoint(endpoint).state == "enabled"


def test_an_exhausted_delivery_can_be_replayed_with_a_whole_schedule(
    sender: Any, receiver: Any
) -> None:
    receiver.status = 500
    endpoint, _ = sender.endpoint(receiver.url)
    event = sender.event(endpoint, START)
    sender.run_clock(START + 10 * DAY)
    later = START + 20 * DAY

    replay_delivery(sender.tenant_id, endpoint, event, SYSTEM, now=later)
    sender.deliver(event, later)
    receiver.status = 200
    sender.run_clock(later + HOUR)

    assert sender.read_delivery(event).state == "delivered"
    assert len(sender.attempts(event)) == 12
    assert {request.headers["webhook-id"] for request in receiver.received} == {str(event)}


def test_a_delivered_event_can_be_replayed(sender: Any, receiver: Any) -> None:
    endpoint, _ = sender.endpoint(receiver.url)
    event = sender.event(endpoint, START)
    sender.deliver(event, START)

    replay_delivery(sender.tenant_id, endpoint, event, SYSTEM, now=START + DAY)

    assert sender.deliver(event, START + DAY) == 1
    first, second = receiver.received
    assert first.body == second.body
    assert ("webhook_delivery.replayed", {}) in sender.audited()


def test_nothing_can_be_replayed_after_thirty_days(sender: Any, receiver: Any) -> None:
    endpoint, _ = sender.endpoint(receiver.url)
    event = sender.event(endpoint, START)

    with pytest.raises(DeliveryNotReplayable):
        replay_delivery(sender.tenant_id, endpoint, event, SYSTEM, now=START + 30 * DAY + HOUR)


def test_a_delivery_of_another_endpoint_is_not_found(sender: Any, receiver: Any) -> None:
    endpoint, _ = sender.endpoint(receiver.url)
    other, _ = sender.endpoint(f"{receiver.url}/other")
    event = sender.event(endpoint, START)

    with pytest.raises(NotFound):
        replay_delivery(sender.tenant_id, other, event, SYSTEM, now=START)


def test_nothing_is_replayed_to_a_disabled_endpoint(sender: Any, receiver: Any) -> None:
    receiver.status = 410
    endpoint, _ = sender.endpoint(receiver.url)
    event = sender.event(endpoint, START)
    sender.deliver(event, START)

    with pytest.raises(EndpointDisabled):
        replay_delivery(sender.tenant_id, endpoint, event, SYSTEM, now=START)


def test_a_hint_for_a_delivery_that_is_gone_does_nothing(sender: Any) -> None:
    assert sender.deliver(new_id(), START) == 0
