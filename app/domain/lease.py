"""The right of one worker to one shard for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.domain.states import Priority


@dataclass(frozen=True)
class ShardRef:
    """Names a shard: all that a broker message holds."""

    job_id: UUID
    shard_no: int

    def __str__(self) -> str:
        return f"{self.job_id}/{self.shard_no}"


@dataclass(frozen=True)
class Holder:
    """A worker child. `instance` is unique to one life of the parent process."""

    instance: str
    pid: int


@dataclass(frozen=True)
class Lease:
    """A shard, held. Writes carry `token`; a newer lease has a higher one and fences them off.

    An `isolated` shard lost a worker: its items are tried one at a time, and `trial_seq` is the one
    that was in flight, alone, at the last death of `trial_deaths`.
    """

    shard: ShardRef
    tenant_id: UUID
    token: int
    holder: Holder
    first_seq: int
    item_count: int
    open_items: int
    priority: Priority
    isolated: bool
    trial_seq: int | None
    trial_deaths: int

    @property
    def key(self) -> dict[str, Any]:
        """The shard under this lease's token, as the parameters of a statement."""
        return {
            "job_id": self.shard.job_id,
            "shard_no": self.shard.shard_no,
            "token": self.token,
        }


# An item is a poison when it was alone in flight at this many deaths.
POISON_DEATHS = 2
