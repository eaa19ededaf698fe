"""A migrated template, and a database of its own for each process that tests."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg2
from psycopg2 import extensions, sql

from scripts.stack.environment import HOST, database_url, process_environment
from scripts.stack.state import ROOT, State

_PREFIX = "facequeue_template_"
_TEMPLATE_LOCK = 7_301_000
_SLOT_LOCKS = 7_302_000
SLOTS = 16


@contextmanager
def superuser(state: State, database: str = "postgres") -> Iterator[extensions.connection]:
    """A connection that commits each statement."""
    connection = psycopg2.connect(
        host=HOST,
        port=state.ports["postgres"],
        user="postgres",
        password=state.secrets["superuser_password"],
        dbname=database,
    )
    connection.autocommit = True
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def claim_slot(state: State) -> Iterator[int]:
    """A number that no other testing process of this machine holds, until it ends."""
    with superuser(state) as connection, connection.cursor() as cursor:
        for slot in range(SLOTS):
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_SLOT_LOCKS + slot])
            if cursor.fetchone() == (True,):
                yield slot
                return
    raise RuntimeError(f"{SLOTS} processes are testing on this stack already")


def clone_template(state: State, database: str) -> None:
    """Make `database` afresh from the migrated template, which is made when migrations changed."""
    with superuser(state) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_TEMPLATE_LOCK])
        template = _PREFIX + _digest_of_migrations()
        if not _exists(connection, template):
            _drop_old_templates(connection)
            _make_template(state, connection, template)
        _drop(connection, database)
        cursor.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER facequeue_owner").format(
                sql.Identifier(database), sql.Identifier(template)
            )
        )


def drop_database(state: State, database: str) -> None:
    """Drop a database, with whoever is connected to it."""
    with superuser(state) as connection:
        _drop(connection, database)


def _make_template(state: State, connection: extensions.connection, template: str) -> None:
    draft = template + "_draft"
    empty_database(state, draft)
    upgrade(environment_of(state, draft))
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                sql.Identifier(draft), sql.Identifier(template)
            )
        )


def empty_database(state: State, database: str) -> None:
    """Make `database` afresh, ready for the first migration."""
    with superuser(state) as connection, connection.cursor() as cursor:
        _drop(connection, database)
        cursor.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 OWNER facequeue_owner").format(
                sql.Identifier(database)
            )
        )
    with superuser(state, database) as inside, inside.cursor() as cursor:
        cursor.execute("CREATE EXTENSION vector")


def environment_of(state: State, database: str) -> dict[str, str]:
    """The settings of a process that works on another database of this stack."""
    urls = {
        "DATABASE_URL": database_url(state, "app", database),
        "DATABASE_QUEUE_URL": database_url(state, "queue", database),
        "DATABASE_OWNER_URL": database_url(state, "owner", database),
    }
    return {**process_environment(state), "FACEQUEUE_ENV": "test", **urls}


def upgrade(environment: Mapping[str, str]) -> None:
    """Migrate with the command that operators use."""
    result = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise RuntimeError(f"the migrations fail:\n{result.stdout}{result.stderr}")


def _digest_of_migrations() -> str:
    digest = hashlib.sha256()
    files = sorted((ROOT / "migrations").rglob("*.py"))
    for path in (*files, ROOT / "deploy" / "postgres" / "bootstrap.sql"):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _exists(connection: extensions.connection, database: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
        return cursor.fetchone() is not None


def _drop_old_templates(connection: extensions.connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [_PREFIX])
        for (name,) in cursor.fetchall():
            _drop(connection, name)


def _drop(connection: extensions.connection, database: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
        )
