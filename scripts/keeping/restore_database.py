"""`scripts/restore_database.sh`: a dump becomes the database, and forgets what was erased since."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shlex
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from app.config import Settings
from scripts.keeping.backup_database import DUMP, MANIFEST, settings_or_refused
from scripts.keeping.facts import Facts
from scripts.keeping.failures import EXIT_CODES, KeepingError, Refused
from scripts.keeping.ledger import flask, known_erasures, repeat_erasures
from scripts.keeping.programs import Programs, find_programs, run, server_major
from scripts.keeping.server import Server, rows
from scripts.keeping.sets import BackupSets, check_sums
from scripts.keeping.swap import (
    bootstrap,
    drop,
    is_empty,
    set_in_place,
    wait_until_unused,
)

_HELP = f"""Restore BACKUP: a backup's folder, a file in it, its name, or `latest`.

Checks the digests, restores into a new database beside the present one, compares row counts and
searches with the manifest, migrates to the newest revision, erases again what was erased after the
dump, and only then puts the new database in the old one's place. The old one stays, renamed, until
you drop it. Whatever fails before that leaves everything as it was.

Roles, extension and the new database are made by deploy/postgres/bootstrap.sql with the passwords
of DATABASE_URL, DATABASE_QUEUE_URL and DATABASE_OWNER_URL; that takes a superuser, whom
SUPERUSER_URL names (postgresql://postgres:PASSWORD@HOST:PORT/postgres).
{EXIT_CODES}"""

_LONGEST_WAIT_S = 60.0
# A line of `pg_restore --list`: number; two object ids; what it is.
_SECURITY = re.compile(r"^\d+; \d+ \d+ (POLICY|ROW SECURITY) ")


@dataclass(frozen=True)
class Choices:
    """What the operator decides."""

    yes: bool = False
    accept_unknown_erasures: bool = False
    old_database: str | None = None
    jobs: int = 2
    stop: str | None = None
    start: str | None = None


@dataclass(frozen=True)
class Restored:
    """What became of it."""

    erasures: str
    erasures_until: dt.datetime | None
    set_aside: str | None
    seconds: float


def restore(settings: Settings, superuser: Server, backup: Path, choices: Choices) -> Restored:
    """Restore a backup in the place of the database that the settings name.

    Raises:
        Refused: something must be decided or done first.
        KeepingError: it failed; the database is as it was.
    """
    started = time.monotonic()
    owner = Server.of(settings.database_owner_url, "DATABASE_OWNER_URL")
    check_sums(backup)
    programs = programs_for(settings, superuser, backup)
    occupied = not is_empty(superuser, owner.database)
    if occupied and not choices.yes:
        raise Refused(
            f"The database {owner.place} has tables. --yes sets it aside under another name and "
            "puts the backup in its place"
        )
    draft = owner.named(f"{owner.database}_restoring")
    with _stopped(choices, superuser, owner), tempfile.TemporaryDirectory() as scratch:
        old = Server.of(choices.old_database, "") if choices.old_database else None
        known = known_erasures(settings, Path(scratch), old or (owner if occupied else None))
        if known.until is None and not choices.accept_unknown_erasures:
            raise Refused(
                "Nobody can say what was erased after this backup: no ledger was found in "
                f"{settings.backup_dir / 'erasures'} or the bucket, and the old database does not "
                "answer. --old-database URL names it elsewhere; --accept-unknown-erasures brings "
                "everybody back who was erased since"
            )
        try:
            bootstrap(settings, superuser, programs, draft.database)
            load(programs, draft, backup, choices.jobs)
            judge(draft, backup)
            flask(settings, "db", "upgrade", DATABASE_OWNER_URL=draft.setting())
            erasures = repeat_erasures(settings, draft, known.files)
            aside = set_in_place(superuser, draft.database, owner.database, keep_old=occupied)
        except BaseException:
            drop(superuser, draft.database)
            raise
    return Restored(erasures, known.until, aside, round(time.monotonic() - started, 1))


def programs_for(settings: Settings, superuser: Server, backup: Path) -> Programs:
    """Programs that know the server, and read what the backup's pg_dump has written.

    Raises:
        Refused: there are none.
    """
    manifest = json.loads((backup / MANIFEST).read_text(encoding="utf-8"))
    return find_programs(settings.pg_bin, max(server_major(superuser), manifest["pg_dump"]))


def load(programs: Programs, database: Server, backup: Path, jobs: int) -> None:
    """Fill an empty database that bootstrap.sql has prepared.

    Row-level security comes last: it binds the owner too, and foreign keys are checked by queries
    of the owner, which would find nothing where security is on and a policy still missing.
    """
    listed = programs.run("pg_restore", database, "--list", backup / DUMP).splitlines()
    security = [line for line in listed if _SECURITY.match(line)]
    rest = [line for line in listed if not _SECURITY.match(line)]
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in (("rest", rest), ("security", security)):
            chosen = Path(folder) / name
            chosen.write_text("\n".join(lines) + "\n", encoding="utf-8")
            programs.run(
                "pg_restore",
                database,
                *("--exit-on-error", "--no-comments", "--enable-row-security", f"--jobs={jobs}"),
                *(f"--use-list={chosen}", f"--dbname={database.dsn}", backup / DUMP),
            )
    with database.connect() as connection:
        rows(connection, "CREATE SCHEMA IF NOT EXISTS celery_schema")
        rows(connection, "GRANT USAGE, CREATE ON SCHEMA celery_schema TO facequeue_queue")
        rows(connection, "ANALYZE")


def judge(database: Server, backup: Path) -> Facts:
    """Compare what was restored with the backup's manifest.

    Raises:
        KeepingError: names each difference.
    """
    manifest = json.loads((backup / MANIFEST).read_text(encoding="utf-8"))
    with database.connect() as connection:
        found = Facts.of(connection)
    if differences := Facts.parse(manifest).differences(found):
        raise KeepingError("What was restored is not what was backed up: " + "; ".join(differences))
    return found


@contextmanager
def _stopped(choices: Choices, superuser: Server, owner: Server) -> Iterator[None]:
    """Services do not run meanwhile; those that were stopped are started again, come what may."""
    if choices.stop:
        run(shlex.split(choices.stop), "--stop")
    try:
        wait_until_unused(superuser, owner.database, _LONGEST_WAIT_S if choices.stop else 0.0)
        yield
    finally:
        if choices.start:
            run(shlex.split(choices.start), "--start")


@click.command(help=_HELP)
@click.argument("backup", metavar="BACKUP")
@click.option("--yes", "--force", "yes", is_flag=True, help="Take the present database's place.")
@click.option("--stop", metavar="COMMAND", help="Stops the services, such as 'systemctl stop …'.")
@click.option("--start", metavar="COMMAND", help="Starts them again, also when it fails.")
@click.option("--old-database", metavar="URL", help="Where the former database still answers.")
@click.option("--accept-unknown-erasures", is_flag=True, help="Restore without the ledger.")
@click.option("--jobs", default=2, show_default=True, help="Tables restored at once.")
def main(backup: str, **choices: object) -> None:
    """Restore and say what to do next."""
    settings = settings_or_refused()
    superuser = Server.of(os.environ.get("SUPERUSER_URL"), "SUPERUSER_URL")
    found = BackupSets.of(settings, "database").find(backup)
    done = restore(settings, superuser, found, Choices(**choices))  # type: ignore[arg-type]  # click has checked each
    click.echo(f"restored {found} in {done.seconds} s; rows and searches are as in its manifest")
    known = done.erasures_until or "nobody knows when"
    click.echo(f"{done.erasures}; erasures are known until {known}")
    if done.set_aside:
        click.echo(f'the former database is now "{done.set_aside}"; drop it when nobody needs it')


if __name__ == "__main__":
    main()
