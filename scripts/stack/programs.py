"""What a supervised program is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from scripts.stack.state import State


@dataclass(frozen=True)
class Program:
    """One program of the stack, in the words of its supervisor."""

    name: str
    command: tuple[str, ...]
    # Ready when this holds; a program without a port says some words of its own instead.
    ready: Callable[[State], bool] | None = None
    ready_words: str = ""
    ports: tuple[str, ...] = ()
    user: str | None = None
    stop_signal: str = "TERM"
    stop_seconds: int = 15
    ready_seconds: float = 90.0
    # Not needed for a first result, and so started after it.
    late: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    # Servers get a bare environment: the settings hold secrets that are not theirs.
    bare: bool = False
