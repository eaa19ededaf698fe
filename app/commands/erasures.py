"""`flask erasures`: the ledger by which a restored backup forgets again. See docs/backup.md."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.typed_errors import CommandGroup
from app.domain.errors import FaceQueueError
from app.services.jobs.repeat_erasures import repeat_erasures
from app.services.upkeep.erasure_ledger import export_ledger, read_ledger

group = CommandGroup("erasures", help="What was erased, kept beside the backups.")

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@group.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export(folder: Path) -> None:
    """Write what was erased since the last export to a new file in FOLDER."""
    click.echo(f"{export_ledger(folder)} erasures exported")


@group.command("repeat")
@click.argument("files", nargs=-1, type=_FILE)
def repeat(files: tuple[Path, ...]) -> None:
    """Erase again what FILES tell of and this database does not know was erased.

    For a database that was just restored, while no service runs. Safe to run again.
    """
    try:
        repeated = repeat_erasures(read_ledger(files))
    except ValueError as error:
        raise FaceQueueError(str(error)) from error
    for kind, count in sorted(repeated.items()):
        click.echo(f"{kind}\t{count}")
    click.echo(f"{repeated.total()} erasures repeated")
