"""`scripts/backup_base.sh`: the files of a whole server, from which WAL leads to later moments."""

from __future__ import annotations

import click

from scripts.keeping.backup_database import settings_or_refused
from scripts.keeping.failures import EXIT_CODES
from scripts.keeping.metrics import measured
from scripts.keeping.programs import find_programs, server_major
from scripts.keeping.server import Server
from scripts.keeping.sets import BackupSets

_HELP = f"""Take a base backup of the whole server into BACKUP_DIR/base and AWS_S3_BACKUP_BUCKET.

Works as DATABASE_REPLICATION_URL: a role with REPLICATION, whom pg_hba.conf lets in for
`replication`. With the WAL that archive_wal.sh keeps from here on, restore_pitr.sh goes to any
later moment. Removes base backups older than RETENTION_DAYS_BACKUPS, but never the last one.
{EXIT_CODES}"""


@click.command(help=_HELP)
def main() -> None:
    """Take it and say where."""
    settings = settings_or_refused()
    server = Server.of(settings.database_replication_url, "DATABASE_REPLICATION_URL")
    sets = BackupSets.of(settings, "base")
    with measured("base", settings.backup_metrics_dir) as run:
        programs = find_programs(settings.pg_bin, server_major(server))
        with sets.new() as draft:
            # With the WAL of its own duration, so that it can be started by itself.
            programs.run(
                "pg_basebackup",
                server,
                *("--format=tar", "--gzip", "--wal-method=fetch", "--checkpoint=fast"),
                *(f"--pgdata={draft}", f"--dbname={server.dsn}", "--no-password"),
            )
        name = sets.here()[-1]
        run.size_bytes = sets.size(name)
        sets.publish()
        sets.prune()
    click.echo(sets.folder / name)


if __name__ == "__main__":
    main()
