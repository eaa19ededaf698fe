"""`scripts/backup_config.sh`: the configuration, which holds every key, for one reader alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import click

from scripts.keeping.backup_database import settings_or_refused
from scripts.keeping.failures import EXIT_CODES, KeepingError, Refused
from scripts.keeping.metrics import measured
from scripts.keeping.sets import BackupSets

_ARCHIVE = "config.tar.gz.age"

_HELP = f"""Back up PATHS (default /etc/facequeue), encrypted for one reader alone.

They go to BACKUP_DIR, and to AWS_S3_BACKUP_BUCKET where one is set.

Without ENCRYPTION_KEYS, which stand in there, nobody can read the webhook secrets of a restored
database. `age` encrypts for BACKUP_AGE_RECIPIENT, a public key: make the pair with age-keygen and
keep the private key off this host, where no backup of it is needed. To read one:
age --decrypt --identity KEYFILE {_ARCHIVE} | tar --list --gzip
{EXIT_CODES}"""


@click.command(help=_HELP)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def main(paths: tuple[Path, ...]) -> None:
    """Back it up and say where."""
    settings = settings_or_refused()
    recipient = settings.backup_age_recipient
    if recipient is None:
        raise Refused("BACKUP_AGE_RECIPIENT is not set: age-keygen makes a pair of keys")
    wanted = [path.resolve() for path in paths or (Path("/etc/facequeue"),)]
    for path in wanted:
        if not path.exists():
            raise Refused(f"There is no {path}; name what to back up")
    sets = BackupSets.of(settings, "config")
    with measured("config", settings.backup_metrics_dir) as run:
        with sets.new() as draft:
            _encrypt(wanted, recipient, draft / _ARCHIVE)
        name = sets.here()[-1]
        run.size_bytes = sets.size(name)
        sets.publish()
        sets.prune()
    click.echo(sets.folder / name)


def _encrypt(paths: list[Path], recipient: str, target: Path) -> None:
    """Nothing of it is on the disk in the clear."""
    names = [str(path.relative_to("/")) for path in paths]
    tar = ["tar", "--create", "--gzip", "--directory=/", "--", *names]
    try:
        with subprocess.Popen(tar, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as packing:
            done = subprocess.run(
                ["age", "--encrypt", "--recipient", recipient, "--output", target],
                stdin=packing.stdout,
                capture_output=True,
                text=True,
                check=False,
            )
            said = packing.stderr.read().decode() if packing.stderr else ""
    except FileNotFoundError as error:
        raise KeepingError(f"{error.filename} is not installed: apt install age") from error
    if done.returncode != 0 or packing.returncode != 0:
        raise KeepingError(f"the configuration was not backed up: {done.stderr or said}".strip())


if __name__ == "__main__":
    main()
