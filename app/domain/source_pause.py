"""How long a source of images that is away is left alone."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 300.0


@dataclass(frozen=True)
class SourcePause:
    """A bucket that did not answer when it was last asked.

    `left_s` is what is left of its pause: below 0, it may be asked again. `away_s` is the time
    since it was first found away.
    """

    bucket: str
    left_s: float
    away_s: float
    failures: int
    last_error: str


def pause_seconds(failures: int) -> float:
    """The pause after so many failures in a row, from 1 on: it doubles up to five minutes."""
    # The bound on the exponent keeps the number a number.
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(failures - 1, 30))
