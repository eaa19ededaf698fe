"""`flask audit`: the audit log as evidence. docs/audit.md says what it proves and what not."""

from __future__ import annotations

import datetime as dt
import json
import sys
from uuid import UUID

import click

from app.commands.typed_errors import CommandGroup, table
from app.services.upkeep.audit_backlog import audit_backlog
from app.services.upkeep.chain_audit import chain_events
from app.services.upkeep.checkpoint_audit import (
    export_checkpoints,
    make_checkpoints,
    public_key,
)
from app.services.upkeep.prune_audit import prune_audit
from app.services.upkeep.verify_audit import chained_event_count, verify_audit

group = CommandGroup("audit", help="The audit log: chained, signed, verified.")


@group.command("chain")
def chain() -> None:
    """Give events their places in their tenants' chains, as beat does each minute."""
    chained = chain_events()
    waiting, oldest = audit_backlog()
    click.echo(f"{chained} events chained")
    if waiting:
        click.echo(f"{waiting} wait for open transactions; the oldest is of {oldest}", err=True)


@group.command("checkpoint")
def checkpoint() -> None:
    """Sign the heads of chains that have grown, and export them, as beat does each day."""
    chain_events()
    click.echo(f"{make_checkpoints()} checkpoints made")
    click.echo(f"{export_checkpoints()} exported")


@group.command("verify")
@click.option("--tenant", "tenant_id", type=click.UUID, metavar="ID", help="This tenant alone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for scripts.")
def verify(tenant_id: UUID | None, *, as_json: bool) -> None:
    """Check every chain against its events and checkpoints, also those in S3.

    Names the first bad event of each tenant and exits with 1 when there is one.
    """
    with click.progressbar(
        length=max(chained_event_count(tenant_id), 1),
        label="Verifying",
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
    ) as bar:
        report = verify_audit(tenant_id, bar.update)
    if as_json:
        click.echo(json.dumps(report.as_dict()))
    else:
        table([(b.tenant_id, b.problem, b.chain_no, b.event_id, b.explanation) for b in report.bad])
    checked = f"{report.tenants} tenants, {report.events} events, {report.checkpoints} checkpoints"
    if report.bad:
        raise click.ClickException(f"The audit log is not whole ({checked}).")
    if not as_json:
        click.echo(f"whole: {checked}")


@group.command("prune")
@click.option("--tenant", "tenant_id", type=click.UUID, required=True, metavar="ID")
@click.option(
    "--before",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="Remove events that are older than this day (UTC).",
)
def prune(tenant_id: UUID, before: dt.datetime) -> None:
    """Remove a tenant's old events; the chain then begins behind them, and an event says so."""
    chain_events()
    click.echo(f"{prune_audit(tenant_id, before.replace(tzinfo=dt.UTC))} events removed")


@group.command("public-key")
def show_public_key() -> None:
    """Print the public key of checkpoints, for those who check them elsewhere."""
    click.echo(public_key())
