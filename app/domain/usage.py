"""Usage: what tenants have had done, counted by UTC day, operation and outcome."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from app.domain.request_errors import FieldError, Invalid

MOST_DAYS = 731
"""Of a question: two years, one of them a leap year."""
_DAYS_BY_DEFAULT = 30


class UsageOperation(StrEnum):
    """What was done: the operations of jobs, and attempts to deliver a webhook."""

    DETECT = "detect"
    ENROL = "enrol"
    IDENTIFY = "identify"
    VERIFY = "verify"
    WEBHOOK = "webhook"


class UsageOutcome(StrEnum):
    """How it ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class UsageGroup(StrEnum):
    """By what usage is told apart; one of `day` and `month` at most."""

    DAY = "day"
    MONTH = "month"
    OPERATION = "operation"
    OUTCOME = "outcome"


@dataclass
class UsageAmounts:
    """How much: items of jobs, faces in their results, milliseconds of inference, attempts."""

    images: int = 0
    faces: int = 0
    inference_ms: int = 0
    webhooks: int = 0


@dataclass(frozen=True)
class UsageQuestion:
    """Which days, the first and the last included, and how they are told apart."""

    first: dt.date
    last: dt.date
    groups: frozenset[UsageGroup]

    @classmethod
    def of(
        cls,
        first: dt.date | None,
        last: dt.date | None,
        groups: Collection[UsageGroup],
        today: dt.date,
    ) -> UsageQuestion:
        """Ask; of the last 30 days up to `last`, which is today, unless the question says more.

        Raises:
            Invalid: the days end before they begin, or are too many; or day and month are both
                asked for.
        """
        last = last or (today if first is None else max(first, today))
        # Near the calendar's beginning there are not as many days before.
        back = min(_DAYS_BY_DEFAULT - 1, last.toordinal() - 1)
        first = first or last - dt.timedelta(days=back)
        if last < first:
            raise Invalid(errors=(FieldError("/to", "it is before `from`"),))
        if (last - first).days >= MOST_DAYS:
            raise Invalid(errors=(FieldError("/from", f"{MOST_DAYS} days at most"),))
        if {UsageGroup.DAY, UsageGroup.MONTH} <= set(groups):
            raise Invalid(errors=(FieldError("/group_by", "`day` or `month`, not both"),))
        return cls(first, last, frozenset(groups))
