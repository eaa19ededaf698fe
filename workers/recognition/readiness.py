"""What a worker's children tell their parent about their models, in shared memory.

A worker offers as many slots as it has children whose models are loaded and have passed their self
test: a child that computes something else is given nothing to do.
"""

from __future__ import annotations

import mmap

from billiard import current_process

_MOST_CHILDREN = 1024
_READY = 1
# Anonymous memory made before the fork: a byte for each child.
_shared = mmap.mmap(-1, _MOST_CHILDREN)


def reset() -> None:
    """In a new worker no child is ready."""
    _shared[:] = bytes(_MOST_CHILDREN)


def child_began() -> None:
    """A new child has loaded nothing, whatever the one that it replaces had."""
    _shared[_place()] = 0


def child_ready() -> None:
    """This child's models are loaded and compute what they should."""
    _shared[_place()] = _READY


def ready_children() -> int:
    """How many children can be given work."""
    return sum(_shared[:])


def _place() -> int:
    return getattr(current_process(), "index", 0) % _MOST_CHILDREN
