from __future__ import annotations

from uuid import UUID

import click

from app.commands.typed_errors import CommandGroup, table
from app.services.jobs.dead_letters import list_dead_letters
from app.services.jobs.dead_letters import redrive as redrive_letter

group = CommandGroup("dead-letters", help="Images that ended their worker process twice.")


@group.command("list")
@click.option("--all", "redriven", is_flag=True, help="Those already redriven, too.")
def show(*, redriven: bool) -> None:
    """Print id, time, tenant, job, item number, image and reason, oldest first."""
    table(
        [
            (
                letter.id,
                letter.created_at.isoformat("T", "seconds"),
                letter.tenant_id,
                letter.job_id,
                letter.item_seq,
                letter.image_uri,
                letter.reason,
            )
            for letter in list_dead_letters(redriven=redriven)
        ]
    )


@group.command("redrive")
@click.argument("letter_id", type=click.UUID)
def redrive(letter_id: UUID) -> None:
    """Submit the item of a dead letter again and print the new job's id."""
    click.echo(redrive_letter(letter_id))
