from __future__ import annotations

from uuid import UUID

import click

from app.commands.typed_errors import CommandGroup, table
from app.domain.given_names import normal_name
from app.domain.tenant_limits import Limit
from app.services.jobs.erase_tenant import erase_tenant
from app.services.tenancy.tenant_limits import list_limits, set_limits
from app.services.tenancy.tenants import (
    allow_attributes,
    create_tenant,
    list_tenants,
    read_tenant,
)

group = CommandGroup("tenants", help="Organisations that use this installation.")


_LONGEST_NAME = 200


def _fitting(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    if not 1 <= len(normal_name(name)) <= _LONGEST_NAME:
        raise click.BadParameter(f"a tenant's name has 1 to {_LONGEST_NAME} characters")
    return name


@group.command("create")
@click.argument("name", callback=_fitting)
@click.option("--contact", metavar="EMAIL", help="Whom to write to about this tenant.")
def create(name: str, contact: str | None) -> None:
    """Make a tenant called NAME and print its id."""
    click.echo(create_tenant(name, contact).id)


@group.command("list")
def show() -> None:
    """Print id, name, contact and creation time of every tenant."""
    table(
        [
            (t.id, t.name, t.contact_email, t.created_at.isoformat("T", "seconds"))
            for t in list_tenants()
        ]
    )


@group.command("allow-attributes")
@click.argument("tenant_id", type=click.UUID)
@click.option("--off", is_flag=True, help="Take it back.")
def attributes(tenant_id: UUID, *, off: bool) -> None:
    """Let a tenant ask for age, gender and emotion of faces, which none may by default."""
    allow_attributes(tenant_id, allowed=not off)


_AMOUNT = click.IntRange(min=1, max=2**53)  # beyond, JSON's readers round


@group.command("limits")
@click.argument("tenant_id", type=click.UUID)
@click.option("--jobs-in-flight", type=_AMOUNT, help="Jobs that have not ended.")
@click.option("--items-waiting", type=_AMOUNT, help="Items of them that are not done.")
@click.option("--requests-per-minute", type=_AMOUNT, help="Requests of all its keys together.")
@click.option("--storage-bytes", type=_AMOUNT, help="Bytes of uploads.")
@click.option(
    "--default",
    "defaults",
    type=click.Choice([limit.value for limit in Limit]),
    multiple=True,
    help="Take this one back to the installation's setting; may be repeated.",
)
def limits(tenant_id: UUID, defaults: tuple[str, ...], **amounts: int | None) -> None:
    """Set limits of a tenant; print the name, limit, whose it is, and use of each."""
    own = {Limit(name): amount for name, amount in amounts.items() if amount is not None}
    taken_back = dict.fromkeys(map(Limit, defaults))
    if both := own.keys() & taken_back.keys():
        raise click.UsageError(f"{min(both)} cannot have a value and its default")
    if changes := {**own, **taken_back}:
        set_limits(tenant_id, changes)
    table(
        [
            (each.name, each.amount, "own" if each.is_own else "default", each.used)
            for each in list_limits(tenant_id)
        ]
    )


@group.command("erase")
@click.argument("tenant_id", type=click.UUID)
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(tenant_id: UUID, *, yes: bool) -> None:
    """Erase a tenant for good: faces, jobs, uploads, keys; its audit events stay.

    Its usage stays in the sum of the installation, without its id.
    """
    name = read_tenant(tenant_id).name
    if not yes:
        click.confirm(f"Erase {name!r} with all its faces, jobs and uploads?", abort=True)
    erased = erase_tenant(tenant_id)
    counts = f"faces: {erased.faces}, jobs: {erased.jobs}, uploads: {erased.uploads}"
    click.echo(f"Erased {name!r}; {counts}")
