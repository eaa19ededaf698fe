"""Looking into a trial's database as its owner, also while it is being killed."""

from __future__ import annotations

import time
from typing import Any

import psycopg2
from psycopg2.extensions import connection
from psycopg2.extras import NamedTupleCursor
from sqlalchemy import make_url

_PATIENCE_S = 60.0


class Database:
    """One connection, made again when it is lost. For one thread."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection: connection | None = None

    def rows(self, statement: str, *parameters: object) -> list[Any]:
        """The rows of a query; a database that is down is waited for.

        Raises:
            psycopg2.OperationalError: it stayed away for a minute.
        """
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return self._rows(statement, parameters)
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                self.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def value(self, statement: str, *parameters: object) -> Any:
        """The first column of the first row."""
        return self.rows(statement, *parameters)[0][0]

    def _rows(self, statement: str, parameters: tuple[object, ...]) -> list[Any]:
        if self._connection is None:
            self._connection = psycopg2.connect(self._url, connect_timeout=3)
            self._connection.autocommit = True
        with self._connection.cursor(cursor_factory=NamedTupleCursor) as cursor:
            cursor.execute(statement, parameters or None)  # type: ignore[no-untyped-call] # no stub
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
