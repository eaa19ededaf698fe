from __future__ import annotations

import json

import click

from app.commands.typed_errors import CommandGroup, table
from app.services.upkeep.queue_snapshot import queue_snapshot

group = CommandGroup("queue", help="The work that waits and runs, over all tenants.")


@group.command("status")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for scripts.")
def status(*, as_json: bool) -> None:
    """Print what waits, runs and failed now, and how many workers are alive.

    Exits with 1 when work waits and no worker is alive to take it.
    """
    found = queue_snapshot()
    if as_json:
        click.echo(json.dumps(found.as_dict()))
    else:
        table([(name, value) for name, value in found.as_dict().items()])
    if found.pending_items and not found.slots:
        raise click.ClickException("Items wait and no recognition worker is alive: start one.")
