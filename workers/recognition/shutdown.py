"""What a worker's parent and children tell each other about stopping, in shared memory.

The parent sets a flag when it is told to stop, and its children read it at batch boundaries. Each
child says whether it holds shards, so that the parent waits for no longer than that takes.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager

from billiard import current_process

_MOST_CHILDREN = 1024
# Anonymous memory made before the fork: the flag, then a byte for each child.
_shared = mmap.mmap(-1, 1 + _MOST_CHILDREN)


def request() -> None:
    """Ask every child to hand back what it has not begun."""
    _shared[0] = 1


def requested() -> bool:
    """Whether the worker is shutting down."""
    return _shared[0] == 1


def reset() -> None:
    """A new worker is not shutting down, and nobody works yet."""
    _shared[:] = bytes(len(_shared))


def child_began() -> None:
    """A new child works on nothing, whatever the one that it replaces died of."""
    _shared[_place()] = 0


@contextmanager
def at_work() -> Iterator[None]:
    """This child may hold shards while the block runs.

    Enter it before asking whether to begin at all: then either the parent sees this child at work,
    or this child sees the parent's request.
    """
    _shared[_place()] = 1
    try:
        yield
    finally:
        _shared[_place()] = 0


def anyone_at_work() -> bool:
    """Whether a child may hold shards."""
    return any(_shared[1:])


def _place() -> int:
    return 1 + getattr(current_process(), "index", 0) % _MOST_CHILDREN
