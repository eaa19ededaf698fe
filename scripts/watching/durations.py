"""Many durations in little memory: counted in steps of 5 %, which is how exact a percentile is."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

_STEP = math.log(1.05)
_LEAST_MS = 0.01


@dataclass
class Durations:
    """Milliseconds."""

    count: int = 0
    total: float = 0.0
    most: float = 0.0
    _steps: Counter[int] = field(default_factory=Counter)

    def add(self, took_ms: float) -> None:
        """Count one."""
        self.count += 1
        self.total += took_ms
        self.most = max(self.most, took_ms)
        self._steps[math.floor(math.log(max(took_ms, _LEAST_MS)) / _STEP)] += 1

    def percentile(self, share: float) -> float:
        """At most so long took this share of them; 0 without any."""
        wanted, seen = share * self.count, 0
        for step in sorted(self._steps):
            seen += self._steps[step]
            if seen >= wanted:
                return min(math.exp((step + 1) * _STEP), self.most)
        return 0.0

    def as_dict(self) -> dict[str, float]:
        """What a report tells of them."""
        return {
            "count": self.count,
            "p50_ms": round(self.percentile(0.5), 1),
            "p95_ms": round(self.percentile(0.95), 1),
            "max_ms": round(self.most, 1),
            "total_s": round(self.total / 1000, 2),
        }


def milliseconds(value: object) -> float | None:
    """A duration as a line has it; None: it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < math.inf else None
