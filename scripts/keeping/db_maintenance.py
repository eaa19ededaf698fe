"""`scripts/db_maintenance.sh`: the database is kept in order, beside whoever works with it."""

from __future__ import annotations

from collections.abc import Iterator

import click
import psycopg2
from psycopg2 import extensions, sql

from app.config import Settings
from scripts.keeping.backup_database import settings_or_refused
from scripts.keeping.failures import EXIT_CODES, KeepingError, Refused
from scripts.keeping.indexes import IndexSize, index_sizes, left_over
from scripts.keeping.server import Server, one, rows

_TURN = 0x_FACE_0026
_MEGABYTE = 1 << 20

_TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
ORDER BY pg_relation_size(oid)
"""

_HELP = f"""Keep the database in order: safe at any time, beside a service at work.

Runs the chores (what is past its time goes, months ahead get partitions, erased names leave stored
results), vacuums and analyses every table that nobody holds, and rebuilds indexes, of vectors too,
that are mostly empty, CONCURRENTLY. Waits for no lock longer than --lock-timeout: what is in use is
left for the next run. Works as DATABASE_OWNER_URL. Run it weekly, at a quiet hour.
{EXIT_CODES}"""


def maintain(
    settings: Settings, lock_timeout_s: float, bloat: float, min_size_mb: int
) -> Iterator[str]:
    """Do all of it; a line for each thing done.

    Raises:
        Refused: another run is under way.
    """
    server = Server.of(settings.database_owner_url, "DATABASE_OWNER_URL")
    yield from run_chores(settings)
    with server.connect() as connection:
        if not one(connection, "SELECT pg_try_advisory_lock(%s)", _TURN):
            raise Refused("Another maintenance of this database is under way")
        rows(connection, "SELECT set_config('lock_timeout', %s, false)", f"{lock_timeout_s:g}s")
        yield from _drop_left_over(connection)
        yield from _vacuum(connection)
        for index in index_sizes(connection):
            if index.bloat >= bloat and index.actual >= min_size_mb * _MEGABYTE:
                yield _rebuild(connection, index)


def run_chores(settings: Settings) -> Iterator[str]:
    """What beat runs as well; each is safe beside itself."""
    from app import create_app
    from app.adapters.s3 import ObjectStore
    from app.services.jobs.delete_job import remove_deleted_jobs
    from app.services.jobs.scrub_results import scrub_results
    from app.services.upkeep.ensure_partitions import ensure_partitions
    from app.services.upkeep.purge_expired import purge_expired

    with create_app(settings).app_context():
        ensure_partitions()
        purged = purge_expired(ObjectStore.from_settings(settings))
        yield (
            f"removed {purged.jobs} jobs, {purged.images} uploads, {purged.records} records and "
            f"{purged.months} months past their time"
        )
        deleted, through = remove_deleted_jobs(), scrub_results()
        yield f"removed {deleted} deleted jobs, {through} erasures are through"


def _drop_left_over(connection: extensions.connection) -> Iterator[str]:
    for name in left_over(connection):
        done = _try(connection, f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        yield f"{'dropped' if done else 'left'} {name}, which an earlier run began"


def _vacuum(connection: extensions.connection) -> Iterator[str]:
    names = [str(row[0]) for row in rows(connection, _TABLES)]
    held = 0
    for name in names:
        statement = sql.SQL("VACUUM (ANALYZE, SKIP_LOCKED) public.{}").format(sql.Identifier(name))
        held += not _try(connection, statement)
    yield f"vacuumed {len(names) - held} tables; {held} were in use"


def _rebuild(connection: extensions.connection, index: IndexSize) -> str:
    what = f"{index.name} ({index.actual / _MEGABYTE:.1f} MB, {index.bloat:.0%} of it empty)"
    if _try(connection, f"REINDEX INDEX CONCURRENTLY {index.name}"):
        return f"rebuilt {what}"
    list(_drop_left_over(connection))
    return f"left {what}: in use"


def _try(connection: extensions.connection, statement: str | sql.Composable) -> bool:
    """Whether it could be done without waiting for longer than we may.

    Raises:
        KeepingError: it failed for another reason.
    """
    try:
        rows(connection, statement)
    except (psycopg2.errors.LockNotAvailable, psycopg2.errors.DeadlockDetected):
        return False
    except psycopg2.Error as error:
        raise KeepingError(str(error).strip()) from error
    return True


@click.command(help=_HELP)
@click.option("--lock-timeout", default=5.0, show_default=True, help="Seconds.")
@click.option("--bloat", default=0.5, show_default=True, help="Share from which it is rebuilt.")
@click.option("--min-size", default=64, show_default=True, help="MB from which it is rebuilt.")
def main(lock_timeout: float, bloat: float, min_size: int) -> None:
    """Do it, and say what was done."""
    for line in maintain(settings_or_refused(), lock_timeout, bloat, min_size):
        click.echo(line)


if __name__ == "__main__":
    main()
