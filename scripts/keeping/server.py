"""The PostgreSQL server that is kept: how psycopg2 and PostgreSQL's own programs reach it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg2
from psycopg2 import extensions, sql
from sqlalchemy import URL, make_url

from scripts.keeping.failures import KeepingError, Refused


@dataclass(frozen=True)
class Server:
    """A database of a server, as a role."""

    url: URL

    @classmethod
    def of(cls, url: str | None, setting: str) -> Server:
        """Read a setting's URL.

        Raises:
            Refused: it is not set.
        """
        if not url:
            raise Refused(f"{setting} is not set; this needs it (see docs/backup.md)")
        return cls(make_url(url))

    @property
    def database(self) -> str:
        """Its name."""
        return self.url.database or "postgres"

    @property
    def place(self) -> str:
        """Where it is, for messages: no password."""
        return f"{self.url.host or 'this host'}:{self.url.port or 5432}/{self.database}"

    def named(self, database: str) -> Server:
        """Another database of the same server."""
        return Server(self.url.set(database=database))

    def setting(self) -> str:
        """The URL as DATABASE_…_URL has it, password and all."""
        return self.url.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)

    @property
    def dsn(self) -> str:
        """For `--dbname` and the like; the password is in `environment`."""
        plain = URL.create(
            "postgresql",
            self.url.username,
            None,
            self.url.host,
            self.url.port,
            self.url.database,
            self.url.query,
        )
        return plain.render_as_string()

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of a PostgreSQL program: no password shows in the list of processes."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        password = {"PGPASSWORD": str(self.url.password)} if self.url.password else {}
        return {**kept, **password, "PGAPPNAME": "facequeue-keeping", "PGCONNECT_TIMEOUT": "10"}

    @contextmanager
    def connect(self, *, autocommit: bool = True) -> Iterator[extensions.connection]:
        """A connection; each statement commits, unless told otherwise.

        Raises:
            KeepingError: the server does not let us in.
        """
        try:
            connection = psycopg2.connect(
                self.dsn,
                password=self.url.password,
                connect_timeout=10,
                application_name="facequeue-keeping",
            )
        except psycopg2.OperationalError as error:
            reason = str(error).strip().splitlines()[-1]
            raise KeepingError(f"{self.place} does not let us in: {reason}") from error
        connection.autocommit = autocommit
        try:
            yield connection
        finally:
            connection.close()


Statement = str | sql.Composable


def rows(
    connection: extensions.connection, statement: Statement, *values: object
) -> list[tuple[object, ...]]:
    """What a statement answers."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return list(cursor.fetchall()) if cursor.description else []


def one(connection: extensions.connection, statement: Statement, *values: object) -> object:
    """The first value that a statement answers; None without any."""
    found = rows(connection, statement, *values)
    return found[0][0] if found else None
