"""A superuser's part of a restore: the new database is made, and takes the old one's place."""

from __future__ import annotations

import datetime as dt
import subprocess
import time
from collections.abc import Sequence

import psycopg2
from psycopg2 import sql
from sqlalchemy import make_url

from app.config import Settings
from scripts.keeping.failures import KeepingError, Refused
from scripts.keeping.programs import Programs
from scripts.keeping.server import Server, one, rows
from scripts.stack.state import ROOT

_BOOTSTRAP = ROOT / "deploy" / "postgres" / "bootstrap.sql"
_POLL_S = 0.2

_SESSIONS = """
SELECT usename, coalesce(nullif(application_name, ''), 'unnamed'), count(*) FROM pg_stat_activity
WHERE datname = %s AND backend_type = 'client backend' AND pid <> pg_backend_pid()
GROUP BY 1, 2 ORDER BY 1, 2
"""
_HAS_TABLES = """
SELECT EXISTS (SELECT FROM pg_class WHERE relkind IN ('r', 'p')
  AND relnamespace = 'public'::regnamespace)
"""


def is_empty(superuser: Server, database: str) -> bool:
    """Whether a database is not there, or has no tables."""
    if not exists(superuser, database):
        return True
    with superuser.named(database).connect() as connection:
        return one(connection, _HAS_TABLES) is False


def exists(superuser: Server, database: str) -> bool:
    """Whether the server has a database of this name."""
    with superuser.connect() as connection:
        return bool(rows(connection, "SELECT 1 FROM pg_database WHERE datname = %s", database))


def bootstrap(settings: Settings, superuser: Server, programs: Programs, database: str) -> None:
    """Roles, an empty database, the extension: by the file that a new installation uses.

    Raises:
        KeepingError: it failed.
    """
    drop(superuser, database)
    urls = {
        "owner": settings.database_owner_url,
        "app": settings.database_url,
        "queue": settings.database_queue_url,
    }
    # Through standard input, so that no password shows in the list of processes.
    script = "".join(
        f"\\set {role}_password {_quoted(make_url(url or '').password or '')}\n"
        for role, url in urls.items()
    )
    script += f"\\set database {_quoted(database)}\n\\i {_quoted(str(_BOOTSTRAP))}\n"
    result = subprocess.run(
        [programs.folder / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", superuser.dsn],
        input=script,
        env=superuser.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise KeepingError(f"{_BOOTSTRAP.name} failed: {result.stderr.strip()[-500:]}")


def wait_until_unused(superuser: Server, database: str, seconds: float) -> None:
    """Services must be gone: what they still write would be lost.

    Raises:
        Refused: names whoever is connected.
    """
    deadline = time.monotonic() + seconds
    with superuser.connect() as connection:
        while sessions := rows(connection, _SESSIONS, database):
            if time.monotonic() > deadline:
                raise Refused(
                    f"{database} is in use by {_told(sessions)}. Stop the services first "
                    "(systemctl stop facequeue.target), or let --stop COMMAND do it"
                )
            time.sleep(_POLL_S)


def set_in_place(superuser: Server, draft: str, database: str, *, keep_old: bool) -> str | None:
    """Give the new database the old one's name; returns the old one's new name.

    Raises:
        KeepingError: somebody connected to one of them meanwhile; both are as they were.
    """
    aside = f"{database}_before_{dt.datetime.now(dt.UTC):%Y%m%dt%H%M%Sz}"
    with superuser.connect(autocommit=False) as connection:
        try:
            if keep_old:
                rows(connection, _rename(database, aside))
            elif exists(superuser, database):
                drop(superuser, database)
            rows(connection, _rename(draft, database))
            connection.commit()
        except psycopg2.Error as error:
            raise KeepingError(f"{database} keeps its place: {str(error).strip()}") from error
    return aside if keep_old else None


def drop(superuser: Server, database: str) -> None:
    """Drop a database, with whoever is connected to it."""
    with superuser.connect() as connection:
        name = sql.Identifier(database)
        rows(connection, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def _rename(old: str, new: str) -> sql.Composed:
    names = sql.Identifier(old), sql.Identifier(new)
    return sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names)


def _quoted(text: str) -> str:
    """Text as psql reads it in a command of its own."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _told(sessions: Sequence[Sequence[object]]) -> str:
    return ", ".join(f"{user} ({name}, {count})" for user, name, count in sessions)
