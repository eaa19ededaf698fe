"""A flag that the parent sets when it is told to stop and its children read at batch boundaries."""

from __future__ import annotations

import mmap

# Anonymous shared memory made before the fork: one byte that parent and children all see.
_flag = mmap.mmap(-1, 1)


def request() -> None:
    """Ask every child to hand back what it has not begun."""
    _flag[0] = 1


def requested() -> bool:
    """Whether the worker is shutting down."""
    return _flag[0] == 1


def reset() -> None:
    """A new worker is not shutting down."""
    _flag[0] = 0
