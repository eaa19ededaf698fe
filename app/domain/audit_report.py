"""What verifying the audit log finds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal
from uuid import UUID

Problem = Literal["changed", "missing", "inserted", "unchained", "rewritten", "checkpoint", "start"]
"""What is wrong at a place of a chain.

changed: the event does not fit its hash: its content, or its place, is another.
missing: events are gone.
inserted: an event stands where the chain has none.
unchained: an event has waited too long for its place.
rewritten: the chain is whole, but not the one that was signed.
checkpoint: a checkpoint is not signed by a known key.
start: the chain begins behind its first event, and no event says why.
"""


@dataclass(frozen=True)
class BadEvent:
    """The first place of a tenant's chain at which something is wrong."""

    tenant_id: UUID
    problem: Problem
    explanation: str
    chain_no: int | None = None
    event_id: UUID | None = None


@dataclass
class AuditReport:
    """How much was checked, and what was wrong: one place a tenant at most."""

    tenants: int = 0
    events: int = 0
    checkpoints: int = 0
    bad: list[BadEvent] = field(default_factory=list)

    def add(self, bad: BadEvent | None, *, events: int, checkpoints: int) -> None:
        """Count a tenant that was checked."""
        self.tenants += 1
        self.events += events
        self.checkpoints += checkpoints
        if bad is not None:
            self.bad.append(bad)

    def as_dict(self) -> dict[str, object]:
        """The same for JSON."""
        return {
            "whole": not self.bad,
            "tenants": self.tenants,
            "events": self.events,
            "checkpoints": self.checkpoints,
            "bad": [
                {name: str(v) if isinstance(v, UUID) else v for name, v in asdict(one).items()}
                for one in self.bad
            ],
        }
