"""What a check finds, and what all findings come to: the words and exit codes of monitors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """As monitoring plugins say it; `off` is what this installation or host does not have."""

    OK = "ok"
    OFF = "off"
    WARNING = "warning"
    UNKNOWN = "unknown"
    CRITICAL = "critical"


EXIT_CODES = {Status.OK: 0, Status.OFF: 0, Status.WARNING: 1, Status.CRITICAL: 2, Status.UNKNOWN: 3}
_BY_WEIGHT = list(Status)


@dataclass(frozen=True)
class Finding:
    """The state of one thing."""

    name: str
    status: Status
    detail: str = ""


def worst(findings: Iterable[Finding]) -> Status:
    """What weighs most; `off` is well."""
    found = max((f.status for f in findings), key=_BY_WEIGHT.index, default=Status.OK)
    return Status.OK if found is Status.OFF else found


def by_limits(value: float, warning: float, critical: float) -> Status:
    """How bad it is that a value is so high."""
    if value > critical:
        return Status.CRITICAL
    return Status.WARNING if value > warning else Status.OK


@dataclass(frozen=True)
class Check:
    """Looks at one or several things."""

    name: str
    look: Callable[[], Sequence[Finding]]

    def findings(self) -> Sequence[Finding]:
        """What it finds; a check that fails itself is no reason to say nothing of the others."""
        try:
            return self.look()
        except Exception as error:  # noqa: BLE001 - a monitor must hear of everything else
            said = f"{type(error).__name__}: {error}".partition("\n")[0]
            return [Finding(self.name, Status.UNKNOWN, said)]


def age(seconds: float) -> str:
    """Such as `3 min`."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def since(moment: float) -> float:
    """Seconds since a time of the clock."""
    return max(time.time() - moment, 0.0)
