"""A part of submitting and uploading: whether the tenant has room for more; and how much it uses.

The bounds are soft, since nobody holds a lock while all that a tenant has is counted. And not all
requests count: a reading serves for twenty times as long as it took, a second at most, so that
counting takes a twentieth of a process's time however much there is (50 ms for 100,000 jobs).
What the process lets in meanwhile is added. So a tenant may come to have too much: what is being
written while somebody counts, and what other processes let in while a reading serves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from flask import current_app
from sqlalchemy.orm import Session

from app.database.transactions import read_transaction
from app.domain.request_errors import (
    StorageFull,
    TooManyItems,
    TooManyItemsWaiting,
    TooManyJobs,
)
from app.domain.tenant_limits import Limit, LimitUse
from app.queries.tenant_use import STORAGE, WORK, count_use
from app.services.tenancy.tenant_limits import default_limits

_EXTENSION = "facequeue-room"
_SERVES_TIMES = 20
_SERVES_AT_MOST_S = 1.0
# As many tenants a second are more than a process has.
_MOST_REMEMBERED = 10_000
_RETRY_S = 10

Limits = tuple[Limit, ...]
Counts = Mapping[Limit, tuple[int, int | None]]


@dataclass
class Reading:
    """What a tenant used when it was counted and what was let in since, beside what it may use."""

    used: dict[Limit, int]
    allowed: dict[Limit, int]
    took_s: float
    serves_until: float

    def lacks(self, limit: Limit, more: int) -> bool:
        """Whether so much more would be too much."""
        return self.used[limit] + more > self.allowed[limit]

    def told(self, limit: Limit) -> str:
        """How it stands, in words."""
        return f"{self.used[limit]} of {self.allowed[limit]}"


@dataclass
class Readings:
    """The last readings of this process."""

    by_tenant: dict[tuple[UUID, Limits], Reading] = field(default_factory=dict)

    def read(self, tenant_id: UUID, limits: Limits, count: Callable[[], Counts]) -> Reading:
        """Return a reading that serves still, or count."""
        key, began = (tenant_id, limits), time.monotonic()
        known = self.by_tenant.get(key)
        if known is not None:
            if began < known.serves_until:
                return known
            # Who comes meanwhile goes on with it: one at a time counts.
            known.serves_until = began + known.took_s
        before = dict(known.used) if known else {}
        reading = _reading_of(count(), began)
        current = self.by_tenant.get(key)
        if current is not None and current is not known:
            return current  # somebody else was faster
        for limit, used in before.items():  # what was let in while we counted
            reading.used[limit] += known.used[limit] - used if known else 0
        if len(self.by_tenant) >= _MOST_REMEMBERED:
            self.by_tenant.clear()
        self.by_tenant[key] = reading
        return reading


def _reading_of(counts: Counts, began: float) -> Reading:
    now, defaults = time.monotonic(), default_limits()
    return Reading(
        {limit: used for limit, (used, _) in counts.items()},
        {limit: own or defaults[limit] for limit, (_, own) in counts.items()},
        now - began,
        now + min((now - began) * _SERVES_TIMES, _SERVES_AT_MOST_S),
    )


def require_room_for_job(session: Session, tenant_id: UUID, open_items: int) -> None:
    """Refuse a job that the tenant has no room for; count it otherwise.

    Call it last before the job is written. A job that has ended with its submission takes no room.

    Raises:
        TooManyItems: the job alone is more than may wait.
        TooManyJobs, TooManyItemsWaiting: until others have ended.
    """
    if not open_items:
        return
    reading = _readings().read(tenant_id, WORK, lambda: count_use(session, tenant_id, WORK))
    most = reading.allowed[Limit.ITEMS_WAITING]
    if open_items > most:
        raise TooManyItems(f"Your tenant may have {most} items waiting in all: split the job")
    if reading.lacks(Limit.JOBS_IN_FLIGHT, 1):
        raise TooManyJobs(
            f"Your tenant has {reading.told(Limit.JOBS_IN_FLIGHT)} jobs that have not ended: "
            "wait until some have, or cancel some",
            retry_after=_RETRY_S,
        )
    if reading.lacks(Limit.ITEMS_WAITING, open_items):
        raise TooManyItemsWaiting(
            f"Your tenant has {reading.told(Limit.ITEMS_WAITING)} items waiting, and these are "
            f"{open_items} more: wait until some are done, or cancel a job",
            retry_after=_RETRY_S,
        )
    reading.used[Limit.JOBS_IN_FLIGHT] += 1
    reading.used[Limit.ITEMS_WAITING] += open_items


def require_room_for_upload(tenant_id: UUID, size: int) -> None:
    """Refuse an upload of so many bytes that the tenant has no room for; count it otherwise.

    Raises:
        StorageFull: until uploads are deleted, or go after their time.
    """
    reading = _read_apart(tenant_id, STORAGE)
    if reading.lacks(Limit.STORAGE_BYTES, size):
        days = current_app.config["SETTINGS"].retention_days_images
        raise StorageFull(
            f"Your tenant stores {reading.told(Limit.STORAGE_BYTES)} bytes of uploads, and this is "
            f"{size} more: delete those that are done with (DELETE /api/v1/images/ID), or put "
            f"images into S3. Each goes by itself after {days} days"
        )
    reading.used[Limit.STORAGE_BYTES] += size


def use_of_limits(tenant_id: UUID) -> dict[Limit, LimitUse]:
    """How much a tenant uses of what PostgreSQL counts; a moment old."""
    return {
        limit: LimitUse(reading.allowed[limit], reading.used[limit])
        for limits in (WORK, STORAGE)
        for reading in (_read_apart(tenant_id, limits),)
        for limit in limits
    }


def _read_apart(tenant_id: UUID, limits: Limits) -> Reading:
    def count() -> Counts:
        with read_transaction(tenant_id) as session:
            return count_use(session, tenant_id, limits)

    return _readings().read(tenant_id, limits, count)


def _readings() -> Readings:
    readings: Readings = current_app.extensions.setdefault(_EXTENSION, Readings())
    return readings
