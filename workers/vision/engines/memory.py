"""How this process asks the system for memory."""

from __future__ import annotations

import ctypes

_M_ARENA_MAX = -8  # of glibc's mallopt


def share_one_heap() -> None:
    """Let all threads of the process allocate from one heap, where the C library is glibc.

    By itself glibc gives each thread a heap of its own, and each of them keeps the room of the
    largest pictures that it ever held: with four fetch threads 500 MB, shared 400, for 8
    megapixels among smaller pictures. Nothing here allocates often enough to wait for another.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
