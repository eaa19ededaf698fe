"""Which jobs a client asks for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.domain.states import JobState, Operation


@dataclass(frozen=True)
class JobFilter:
    """What a job must be to be listed: all of this; of `state`, any.

    Made at `created_after` or later, and before `created_before`: two windows that meet have each
    job once. Its metadata hold all of `metadata`.
    """

    state: Sequence[JobState] = ()
    operation: Operation | None = None
    collection_id: UUID | None = None
    created_after: dt.datetime | None = None
    created_before: dt.datetime | None = None
    metadata: dict[str, Any] | None = None


EVERY_JOB = JobFilter()
