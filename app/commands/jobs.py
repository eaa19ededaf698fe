from __future__ import annotations

from uuid import UUID

import click

from app.commands.typed_errors import CommandGroup
from app.services.jobs.redrive_job import redrive_job_of_anyone

group = CommandGroup("jobs", help="Jobs of any tenant.")


@group.command("redrive")
@click.argument("job_id", type=click.UUID)
@click.option(
    "--code",
    "codes",
    multiple=True,
    metavar="CODE",
    help="Only items that failed with this code; may be given again.",
)
def redrive(job_id: UUID, codes: tuple[str, ...]) -> None:
    """Try the failed items of a job that has ended again, and print the new job's id."""
    click.echo(redrive_job_of_anyone(job_id, codes or None).id)
