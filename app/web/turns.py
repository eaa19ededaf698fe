"""Letting others be served while much is read: a worker's greenlets share one thread."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

# Not 0: gevent would come back without a look at the sockets, on which the others wait.
_MOMENT_S = 1e-6

Each = TypeVar("Each")


def give_way() -> None:
    """Let whoever waits run. Under gevent, whose sleep this is then, the other greenlets."""
    time.sleep(_MOMENT_S)


def in_turns(values: Iterable[Each], every: int) -> Iterator[Each]:
    """Go through the values, giving way after each `every` of them."""
    for number, value in enumerate(values, 1):
        yield value
        if number % every == 0:
            give_way()
