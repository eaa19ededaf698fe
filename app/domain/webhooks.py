"""The rules of webhook delivery: payload, schedule, and when a receiver is given up."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from uuid import UUID

from app.domain.states import EventType

# Before the first attempt, the second, and so on: about 76 hours in all.
ATTEMPT_GAPS = (
    dt.timedelta(0),
    dt.timedelta(seconds=5),
    dt.timedelta(minutes=5),
    dt.timedelta(minutes=30),
    dt.timedelta(hours=2),
    dt.timedelta(hours=5),
    dt.timedelta(hours=10),
    dt.timedelta(hours=14),
    dt.timedelta(hours=20),
    dt.timedelta(hours=24),
)
JITTER = 0.2
"""Each gap is stretched or shrunk by up to this share, so that no receiver meets a rush."""

DISABLE_AFTER = dt.timedelta(days=5)
REPLAYABLE_FOR = dt.timedelta(days=30)
SECRET_OVERLAP = dt.timedelta(hours=24)
"""How long the previous secret still signs after a rotation."""

DELIVERY_LEASE = dt.timedelta(seconds=45)
"""The right of one worker to one delivery: longer than an attempt can take."""

CLOCK_LEEWAY = dt.timedelta(seconds=1)
"""How far a worker's clock may be behind the database's before a due delivery looks early to it."""

CONCURRENT_PER_ENDPOINT = 2
"""Attempts that may be under way at one endpoint, so that a slow receiver delays only itself."""

MAX_URL_LENGTH = 2048

SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix of secrets, not one of them

SUBSCRIBABLE = tuple(event for event in EventType if event is not EventType.TEST)


class DisabledReason(StrEnum):
    """Why an endpoint gets nothing."""

    GONE = "gone"
    FAILING = "failing"
    BY_CLIENT = "by_client"


@dataclass(frozen=True)
class Outcome:
    """One attempt: an answer with its status, or else an error as `code: message`."""

    duration_ms: int
    status_code: int | None = None
    response_excerpt: str | None = None
    error: str | None = None

    @property
    def is_success(self) -> bool:
        """2xx only: a redirect is not followed, so it delivers nothing."""
        return self.status_code is not None and 200 <= self.status_code < 300  # noqa: PLR2004 - 2xx

    @property
    def is_gone(self) -> bool:
        """The receiver says that it wants no more."""
        return self.status_code == HTTPStatus.GONE


def next_attempt_at(attempts: int, now: dt.datetime, chance: float) -> dt.datetime | None:
    """When to try again after `attempts` failures, or None when the schedule is used up.

    Args:
        attempts: how many were made, at least one.
        now: when the last one failed.
        chance: from 0 to 1, drawn anew each time; decides the jitter.
    """
    if attempts >= len(ATTEMPT_GAPS):
        return None
    return now + ATTEMPT_GAPS[attempts] * (1 - JITTER + 2 * JITTER * chance)


def failing_streak(
    failing_since: dt.datetime | None, now: dt.datetime, *, tried_lately: bool
) -> dt.datetime:
    """When the failures began of which the one at `now` is the latest.

    Five days without a success count only when attempts were made in them (`tried_lately`): a
    failure long ago and silence since then say nothing about the receiver.
    """
    return failing_since if failing_since is not None and tried_lately else now


def is_given_up(failing_since: dt.datetime, now: dt.datetime) -> bool:
    """Whether an endpoint has failed for too long."""
    return now - failing_since >= DISABLE_AFTER


def event_payload(
    event_id: UUID, event: EventType, occurred_at: dt.datetime, data: Mapping[str, Any]
) -> str:
    """The body of a webhook as text, frozen from here on: signatures cover its very bytes.

    Args:
        event_id: the delivery's id, which is also the `webhook-id` header.
        event: the type.
        occurred_at: when it happened, in UTC.
        data: what happened; ids, states and counts, never an image or an embedding.
    """
    payload = {
        "id": str(event_id),
        "type": event.value,
        "timestamp": occurred_at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
        "data": data,
    }
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
