"""`scripts/repeat_erasures.sh`: a database that went back in time forgets again what it should."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from scripts.keeping.backup_database import settings_or_refused
from scripts.keeping.failures import EXIT_CODES, Refused
from scripts.keeping.ledger import known_erasures, repeat_erasures
from scripts.keeping.server import Server

_HELP = f"""Erase again, in the database of the settings, what the ledger says was erased.

For a database that restore_pitr.sh brought back to an earlier moment; restore_database.sh does the
same itself. Run it before the services start. Reads BACKUP_DIR/erasures, AWS_S3_BACKUP_BUCKET and,
where it is named and answers, the former database. Safe to run again.
{EXIT_CODES}"""


@click.command(help=_HELP)
@click.option("--old-database", metavar="URL", help="Where the former database still answers.")
def main(old_database: str | None) -> None:
    """Repeat, and say how many there were."""
    settings = settings_or_refused()
    owner = Server.of(settings.database_owner_url, "DATABASE_OWNER_URL")
    old = Server.of(old_database, "") if old_database else None
    with tempfile.TemporaryDirectory() as scratch:
        known = known_erasures(settings, Path(scratch), old)
        if known.until is None:
            raise Refused(
                "No ledger was found in BACKUP_DIR/erasures or AWS_S3_BACKUP_BUCKET; "
                "--old-database URL names a former database that still answers"
            )
        click.echo(repeat_erasures(settings, owner, known.files))
    click.echo(f"erasures are known until {known.until}")


if __name__ == "__main__":
    main()
