"""A statement that takes long leaves a line: its shape and how long it took, never a value.

A cursor is where all statements go by: those of SQLAlchemy, COPY, and those of connections outside
of the pools. A shape has one line in a while, so that a slow database does not fill the log too.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import structlog
from psycopg2 import extensions
from sqlalchemy import Engine, event

from app.domain.statement_shape import statement_shape

EACH_SHAPE_S = 60.0
# Of as many shapes it is known when they were logged; there are fewer in the code.
_REMEMBERED = 500

_log = structlog.get_logger(__name__)


@dataclass
class _Told:
    """When a shape was logged last, and how many of its statements were left out since."""

    at: float
    left_out: int = 0


class SlowStatements:
    """What is slow in this process, and what was said of it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._told: OrderedDict[str, _Told] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, statement: str | bytes, cursor: Any, took_s: float, *, failed: bool) -> None:
        """Log a statement that took longer than the limit, unless one like it just was."""
        if took_s <= self._seconds:
            return
        text = statement.decode(errors="replace") if isinstance(statement, bytes) else statement
        shape = statement_shape(text)
        left_out = self._left_out(shape)
        if left_out is not None:
            took_ms = round(took_s * 1000, 1)
            role = cursor.connection.info.user
            line = {"statement": shape, "duration_ms": took_ms, "role": role, "failed": failed}
            _log.warning("slow_statement", **line, left_out=left_out)

    def _left_out(self, shape: str) -> int | None:
        """How many were left out since the shape's last line; None: this one is, too."""
        now = time.monotonic()
        with self._lock:
            told = self._told.get(shape)
            if told is not None and now - told.at < EACH_SHAPE_S:
                told.left_out += 1
                return None
            self._told[shape] = _Told(now)
            self._told.move_to_end(shape)
            if len(self._told) > _REMEMBERED:
                self._told.popitem(last=False)
            return told.left_out if told else 0


class TimedCursor(extensions.cursor):
    """Notes how long each statement takes, its answer's way here included."""

    slow: ClassVar = SlowStatements(float("inf"))

    def execute(self, query: Any, vars: Any = None) -> Any:  # noqa: A002 - psycopg2's name
        """As psycopg2 does."""
        with self._timed(query):
            return super().execute(query, vars)

    def executemany(self, query: Any, vars_list: Any) -> Any:
        """As psycopg2 does; all of them count as one statement."""
        with self._timed(query):
            return super().executemany(query, vars_list)

    def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> Any:
        """As psycopg2 does."""
        with self._timed(sql):
            return super().copy_expert(sql, file, size)

    @contextmanager
    def _timed(self, statement: str | bytes) -> Iterator[None]:
        began = time.perf_counter()
        failed = True
        try:
            yield
            failed = False
        finally:
            self.slow.note(statement, self, time.perf_counter() - began, failed=failed)


def log_slow_statements(seconds: float) -> None:
    """Let this process log statements that take longer."""
    TimedCursor.slow = SlowStatements(seconds)


def time_statements(engine: Engine) -> None:
    """Let the cursors of the engine's connections be timed."""

    def use_timed_cursors(connection: Any, _record: Any) -> None:
        connection.cursor_factory = TimedCursor

    event.listen(engine, "connect", use_timed_cursors, insert=True)
