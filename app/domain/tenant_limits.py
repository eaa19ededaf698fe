"""What a tenant may have and do, all its keys together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Limit(StrEnum):
    """What is limited; operators, `GET /limits` and the table of overrides use these names."""

    JOBS_IN_FLIGHT = "jobs_in_flight"
    ITEMS_WAITING = "items_waiting"
    REQUESTS_PER_MINUTE = "requests_per_minute"
    STORAGE_BYTES = "storage_bytes"


Amounts = Mapping[Limit, int]


@dataclass(frozen=True)
class LimitUse:
    """How far a limit goes, and how much of it is used; None where nothing is counted."""

    limit: int | None
    used: int | None
