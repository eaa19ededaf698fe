"""How long each stage of the pipeline takes, told to whoever wants to know."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

Stage = Literal["fetch", "decode", "detect", "embed"]
# Gets a stage and the seconds that one call of it took; from any thread.
Observe = Callable[[Stage, float], None]


def ignore(_stage: Stage, _seconds: float) -> None:
    """For those who do not want to know."""


@contextmanager
def timed(observe: Observe, stage: Stage) -> Iterator[None]:
    """Time a stage, whether it succeeds or not."""
    began = time.perf_counter()
    try:
        yield
    finally:
        observe(stage, time.perf_counter() - began)
