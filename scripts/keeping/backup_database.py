"""`scripts/backup_database.sh`: a dump that can be restored and judged."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import click
from psycopg2 import extensions

from app.config import Settings, load_settings
from app.domain.errors import ConfigurationError
from scripts.keeping.facts import Facts
from scripts.keeping.failures import EXIT_CODES, Refused
from scripts.keeping.ledger import export_erasures
from scripts.keeping.metrics import measured
from scripts.keeping.programs import Programs, find_programs, server_major
from scripts.keeping.server import Server, one
from scripts.keeping.sets import BackupSets, check_sums

DUMP, SCHEMA, ROLES, MANIFEST = "facequeue.dump", "schema.sql", "roles.sql", "manifest.json"

# Row-level security binds the owner too, whose policy shows it every row; beat's tables belong to
# another role, and are made anew.
_COMMON = ("--enable-row-security", "--exclude-schema=celery_schema")

_HELP = f"""Back up the database into a new folder below BACKUP_DIR, and AWS_S3_BACKUP_BUCKET.

Writes a dump (custom format), the schema as SQL, the roles without their passwords, a manifest
(row counts and what a few searches find, at the moment of the dump) and SHA256SUMS. Exports the
erasure ledger. Then removes backups older than RETENTION_DAYS_BACKUPS, but never the last one.
Works as DATABASE_OWNER_URL; services go on meanwhile. Settings: .env.example; more: docs/backup.md.
{EXIT_CODES}"""


def back_up(settings: Settings, *, keep_old: bool = False) -> Path:
    """Make a backup, publish it, remove old ones; returns its folder.

    Raises:
        KeepingError: it failed; an unfinished backup is removed.
    """
    server = Server.of(settings.database_owner_url, "DATABASE_OWNER_URL")
    sets = BackupSets.of(settings, "database")
    with measured("database", settings.backup_metrics_dir) as run:
        programs = find_programs(settings.pg_bin, server_major(server))
        with sets.new() as draft:
            _fill(draft, server, programs)
        name = sets.here()[-1]
        check_sums(sets.folder / name)
        run.size_bytes = sets.size(name)
        export_erasures(settings)
        sets.publish()
        if not keep_old:
            for old in sets.prune():
                click.echo(f"removed {old}: older than RETENTION_DAYS_BACKUPS")
    return sets.folder / name


def _fill(folder: Path, server: Server, programs: Programs) -> None:
    started = dt.datetime.now(dt.UTC)
    with _snapshot(server) as (connection, snapshot):
        facts = Facts.of(connection)
        programs.run(
            "pg_dump",
            server,
            *(*_COMMON, "--format=custom", f"--snapshot={snapshot}"),
            *(f"--file={folder / DUMP}", f"--dbname={server.dsn}"),
        )
    programs.run(
        "pg_dump",
        server,
        *(*_COMMON, "--schema-only", f"--file={folder / SCHEMA}", f"--dbname={server.dsn}"),
    )
    programs.run(
        "pg_dumpall",
        server,
        *("--roles-only", "--no-role-passwords", f"--file={folder / ROLES}"),
        *(f"--dbname={server.dsn}", f"--database={server.database}"),
    )
    manifest = {
        "made_at": started.isoformat(),
        "seconds": round((dt.datetime.now(dt.UTC) - started).total_seconds(), 1),
        "database": server.database,
        "pg_dump": programs.major,
        "revision": facts.revision,
        "counts": facts.counts,
        "searches": facts.searches,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


@contextmanager
def _snapshot(server: Server) -> Iterator[tuple[extensions.connection, str]]:
    """One moment for the dump and for what the manifest says of it."""
    with server.connect(autocommit=False) as connection:
        connection.set_session(
            isolation_level=extensions.ISOLATION_LEVEL_REPEATABLE_READ, readonly=True
        )
        yield connection, cast("str", one(connection, "SELECT pg_export_snapshot()"))
        connection.rollback()


def settings_or_refused() -> Settings:
    """The environment's settings.

    Raises:
        Refused: it is not usable.
    """
    try:
        return load_settings()
    except ConfigurationError as error:
        raise Refused(str(error)) from error


@click.command(help=_HELP)
@click.option("--keep-old", is_flag=True, help="Remove no old backups.")
def main(*, keep_old: bool) -> None:
    """Back up and say where."""
    folder = back_up(settings_or_refused(), keep_old=keep_old)
    click.echo(folder)


if __name__ == "__main__":
    main()
