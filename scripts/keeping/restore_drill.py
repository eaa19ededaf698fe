"""`scripts/restore_drill.sh`: the latest backup is restored somewhere else, and judged."""

from __future__ import annotations

import json
import time

import click

from app.config import Settings
from scripts.keeping.backup_database import settings_or_refused
from scripts.keeping.failures import EXIT_CODES, KeepingError
from scripts.keeping.metrics import measured
from scripts.keeping.restore_database import judge, load, programs_for
from scripts.keeping.scratch_server import scratch_server
from scripts.keeping.sets import BackupSets, check_sums
from scripts.keeping.swap import bootstrap

_DATABASE = "facequeue_drill"

_HELP = f"""Restore BACKUP (default: the latest) into a scratch server, compare it, and report.

The server is the embedded PostgreSQL, in a temporary folder that is gone afterwards; nothing of the
installation is touched. Row counts of every table and searches are compared with the manifest.
Needs room for the whole database below TMPDIR. Run it monthly: the metric
facequeue_backup_last_success_timestamp_seconds{{kind="drill"}} says when one last went well.
{EXIT_CODES}"""


def drill(settings: Settings, wanted: str, jobs: int) -> dict[str, object]:
    """Restore and compare; what was found.

    Raises:
        KeepingError: the backup is damaged, cannot be restored, or is not what its manifest says.
    """
    started = time.monotonic()
    backup = BackupSets.of(settings, "database").find(wanted)
    check_sums(backup)
    with scratch_server() as server:
        server.start()
        superuser = server.as_role("superuser")
        programs = programs_for(settings, superuser, backup)
        own = settings.model_copy(
            update={
                f"database{role}_url": server.as_role(name, _DATABASE).setting()
                for role, name in (("", "app"), ("_queue", "queue"), ("_owner", "owner"))
            }
        )
        bootstrap(own, superuser, programs, _DATABASE)
        database = server.as_role("owner", _DATABASE)
        load(programs, database, backup, jobs)
        restored = time.monotonic()
        facts = judge(database, backup)
    return {
        "backup": backup.name,
        "revision": facts.revision,
        "rows": sum(facts.counts.values()),
        "faces": facts.counts.get("faces", 0),
        "searches": sum(len(found) for found in facts.searches.values()),
        "restore_s": round(restored - started, 1),
        "same": True,
    }


@click.command(help=_HELP)
@click.argument("backup", default="latest", metavar="[BACKUP]")
@click.option("--jobs", default=2, show_default=True, help="Tables restored at once.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(backup: str, jobs: int, *, as_json: bool) -> None:
    """Drill and report."""
    settings = settings_or_refused()
    with measured("drill", settings.backup_metrics_dir) as run:
        try:
            report = drill(settings, backup, jobs)
        except KeepingError as error:
            if as_json:
                click.echo(json.dumps({"backup": backup, "same": False, "why": error.message}))
            raise
        sets = BackupSets.of(settings, "database")
        run.size_bytes = sets.size(str(report["backup"]))
    for name, value in report.items() if not as_json else ():
        click.echo(f"{name}\t{value}")
    if as_json:
        click.echo(json.dumps(report))


if __name__ == "__main__":
    main()
