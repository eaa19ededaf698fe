from __future__ import annotations

from uuid import UUID

import click

from app.commands.typed_errors import CommandGroup, table
from app.domain.given_names import normal_name
from app.services.jobs.erase_tenant import erase_tenant
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


@group.command("erase")
@click.argument("tenant_id", type=click.UUID)
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(tenant_id: UUID, *, yes: bool) -> None:
    """Erase a tenant for good: faces, jobs, uploads, keys; its audit events stay."""
    name = read_tenant(tenant_id).name
    if not yes:
        click.confirm(f"Erase {name!r} with all its faces, jobs and uploads?", abort=True)
    erased = erase_tenant(tenant_id)
    counts = f"faces: {erased.faces}, jobs: {erased.jobs}, uploads: {erased.uploads}"
    click.echo(f"Erased {name!r}; {counts}")
