"""`scripts/restore_pitr.sh`: a data folder that recovers to a moment when a server starts on it."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from pathlib import Path

import click

from scripts.keeping.backup_database import settings_or_refused
from scripts.keeping.failures import EXIT_CODES, KeepingError, Refused
from scripts.keeping.programs import find_programs, run
from scripts.keeping.sets import BackupSets, check_sums
from scripts.stack.state import ROOT

_BASE_TAR = "base.tar.gz"

_HELP = f"""Prepare DATA so that a PostgreSQL server started on it recovers to a moment.

Finds the last base backup made before that moment, checks its digests, unpacks it and lets
pg_verifybackup look at each file, then writes recovery.signal and the settings of the recovery,
whose restore_command is scripts/restore_wal.sh. Starts nothing: the last lines say how to go on.
What was erased after the moment comes back with it: run repeat_erasures.sh before the services.

The folder must be empty or not there. As root, --owner names the user that runs the server.
{EXIT_CODES}"""


@click.command(help=_HELP)
@click.option(
    "--to", "moment", required=True, metavar="TIME", help="With an offset: 2026-05-01T12:00:00Z."
)
@click.option("--data", required=True, type=click.Path(path_type=Path), help="The data folder.")
@click.option("--base", default="latest", help="Another base backup than the last one before TIME.")
@click.option("--owner", metavar="USER", help="To whom the folder is given.")
@click.option("--restore-command", metavar="COMMAND", help="Instead of scripts/restore_wal.sh.")
def main(
    moment: str, data: Path, base: str, owner: str | None, restore_command: str | None
) -> None:
    """Prepare it and say how to go on."""
    target = _moment(moment)
    if data.exists() and any(data.iterdir()):
        raise Refused(f"{data} is not empty: move the former data away first")
    settings = settings_or_refused()
    found = BackupSets.of(settings, "base").find(base, before=target)
    check_sums(found)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    _unpack(found, data)
    programs = find_programs(settings.pg_bin, _major(data))
    # The WAL it came with is looked at when it is replayed.
    run(
        [programs.folder / "pg_verifybackup", "--no-parse-wal", "--exit-on-error", data],
        "checking the base backup",
    )
    _ask_for_recovery(data, target, restore_command or f"{ROOT}/scripts/restore_wal.sh %f %p")
    if owner is not None:
        _give(data, owner)
    click.echo(f"{data} recovers from {found.name} to {target.isoformat()}")
    click.echo(f"start the server on it: pg_ctl --pgdata={data} start, or through your system")
    click.echo("before the services start: scripts/repeat_erasures.sh")


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(f"{text!r} is no time of the form 2026-05-01T12:00:00Z") from error
    if moment.tzinfo is None:
        raise Refused(f"{text!r} has no offset: add Z for UTC, or one such as +02:00")
    return moment


def _unpack(backup: Path, data: Path) -> None:
    if not (backup / _BASE_TAR).exists():
        raise KeepingError(f"{backup} has no {_BASE_TAR}")
    tablespaces = [path for path in backup.glob("*.tar.gz") if path.name[0].isdigit()]
    if tablespaces:
        raise Refused(f"{backup} has tablespaces; unpack it by hand, as pg_basebackup's page says")
    run(
        ["tar", "--extract", "--gzip", f"--file={backup / _BASE_TAR}", f"--directory={data}"], "tar"
    )
    shutil.copy(backup / "backup_manifest", data / "backup_manifest")


def _major(data: Path) -> int:
    return int((data / "PG_VERSION").read_text(encoding="utf-8").split(".")[0])


def _ask_for_recovery(data: Path, target: dt.datetime, restore_command: str) -> None:
    command = restore_command.replace("'", "''")
    lines = (
        f"restore_command = '{command}'",
        f"recovery_target_time = '{target.astimezone(dt.UTC).isoformat()}'",
        "recovery_target_timeline = 'latest'",
        "recovery_target_action = 'promote'",
    )
    with (data / "postgresql.auto.conf").open("a", encoding="utf-8") as handle:
        handle.writelines(f"{line}\n" for line in lines)
    (data / "recovery.signal").touch(mode=0o600)


def _give(data: Path, owner: str) -> None:
    for folder, _, files in os.walk(data):
        shutil.chown(folder, owner)
        for name in files:
            shutil.chown(Path(folder) / name, owner)


if __name__ == "__main__":
    main()
