from __future__ import annotations

import datetime as dt
import json
from uuid import UUID

import pytest

from app.domain.states import EventType
from app.domain.webhooks import (
    ATTEMPT_GAPS,
    Outcome,
    event_payload,
    failing_streak,
    is_given_up,
    next_attempt_at,
)

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
EVENT_ID = UUID("019a0000-0000-7000-8000-000000000001")


def test_the_gaps_are_those_of_the_contract() -> None:
    minutes = [gap.total_seconds() / 60 for gap in ATTEMPT_GAPS]

    assert minutes == [0, 5 / 60, 5, 30, 120, 300, 600, 840, 1200, 1440]


def test_a_delivery_is_tried_for_about_seventy_six_hours() -> None:
    assert round(sum(ATTEMPT_GAPS, dt.timedelta()) / dt.timedelta(hours=1)) == 76


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 240), (0.5, 300), (1.0, 360)])
def test_a_gap_varies_by_a_fifth_either_way(chance: float, seconds: int) -> None:
    retry = next_attempt_at(2, NOW, chance)

    assert retry is not None
    assert (retry - NOW).total_seconds() == pytest.approx(seconds)


def test_after_the_last_attempt_there_is_no_next_one() -> None:
    assert next_attempt_at(9, NOW, 0.5) is not None
    assert next_attempt_at(10, NOW, 0.5) is None


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_success(status: int) -> None:
    assert Outcome(1, status_code=status).is_success


@pytest.mark.parametrize("status", [None, 100, 199, 300, 301, 304, 400, 404, 410, 429, 500])
def test_nothing_else_is_success(status: int | None) -> None:
    assert not Outcome(1, status_code=status).is_success


def test_only_410_says_gone() -> None:
    assert Outcome(1, status_code=410).is_gone
    assert not Outcome(1, status_code=404).is_gone


def test_five_days_of_failures_give_an_endpoint_up() -> None:
    assert is_given_up(NOW - 5 * DAY, NOW)


def test_less_than_five_days_do_not() -> None:
    assert not is_given_up(NOW - 5 * DAY + dt.timedelta(seconds=1), NOW)


def test_a_streak_of_failures_keeps_its_beginning() -> None:
    assert failing_streak(NOW - 2 * DAY, NOW, tried_lately=True) == NOW - 2 * DAY


def test_a_streak_begins_with_the_first_failure() -> None:
    assert failing_streak(None, NOW, tried_lately=False) == NOW


def test_silence_for_five_days_does_not_count_as_failing() -> None:
    assert failing_streak(NOW - 30 * DAY, NOW, tried_lately=False) == NOW


def test_a_payload_carries_the_id_that_makes_it_idempotent() -> None:
    payload = json.loads(event_payload(EVENT_ID, EventType.TEST, NOW, {"a": 1}))

    assert payload == {
        "id": str(EVENT_ID),
        "type": "endpoint.test",
        "timestamp": "2026-03-01T12:00:00Z",
        "data": {"a": 1},
    }


def test_a_payload_states_its_time_in_utc() -> None:
    local = NOW.astimezone(dt.timezone(dt.timedelta(hours=5)))

    payload = json.loads(event_payload(EVENT_ID, EventType.TEST, local, {}))

    assert payload["timestamp"] == "2026-03-01T12:00:00Z"
