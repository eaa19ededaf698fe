"""A connection that has been in use for too long is cut, so that nobody waits for ever.

A server that stands still (a stopped process, a disk that does not answer) keeps its connections
open, and its kernel acknowledges what is sent: no time-out of TCP's ends the wait, and no
statement_timeout, which the server itself would have to see to. So we hang up ourselves.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from threading import Lock, Timer
from typing import Any

import structlog
from sqlalchemy import Engine, event

_CUT = "cut"

_log = structlog.get_logger(__name__)


class _Cut:
    """Hangs up when its time is over; whoever waits for an answer then has an error."""

    def __init__(self, connection: Any, seconds: float) -> None:
        # A number of its own for the same socket: the other may be closed and given away again.
        self._number: int | None = os.dup(connection.fileno())
        self._lock = Lock()
        self._timer = Timer(seconds, self._hang_up)
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        self._timer.cancel()
        with self._lock:
            if self._number is not None:
                os.close(self._number)
            self._number = None

    def _hang_up(self) -> None:
        with self._lock:
            if self._number is None:
                return
            with socket.socket(fileno=self._number) as line, suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            self._number = None
        _log.warning("connection_cut", reason="it was in use for too long")


def bound_use(engine: Engine, seconds: float) -> None:
    """Cut connections of the engine that are not given back within so many seconds.

    To be called before anything else that asks the server when a connection is taken.
    """

    def taken(connection: Any, record: Any, _proxy: Any) -> None:
        record.info[_CUT] = _Cut(connection, seconds)

    def returned(_connection: Any, record: Any, *_error: Any) -> None:
        cut = record.info.pop(_CUT, None)
        if cut is not None:
            cut.cancel()

    event.listen(engine, "checkout", taken)
    event.listen(engine, "checkin", returned)
    event.listen(engine, "invalidate", returned)
