from __future__ import annotations

import datetime as dt
from uuid import UUID

import click

from app.commands.typed_errors import CommandGroup, table
from app.domain.names import Scope
from app.domain.networks import parse_network
from app.domain.windows import Window
from app.models.api_key import ApiKey
from app.services.tenancy.api_keys import NewKey, issue_api_key, list_api_keys, withdraw_api_key

_MOST_KEYS = 10_000

group = CommandGroup("api-keys", help="Keys of a tenant.")
tenant_option = click.option(
    "--tenant", "tenant_id", type=click.UUID, required=True, metavar="ID", help="The tenant."
)


def _networks(
    _context: click.Context, _parameter: click.Parameter, entries: tuple[str, ...]
) -> tuple[str, ...]:
    try:
        return tuple(str(parse_network(entry)) for entry in entries)
    except ValueError as error:
        raise click.BadParameter(f"{error}; give an address or a CIDR") from error


@group.command("create")
@tenant_option
@click.option("--name", required=True, help="What the key is for.")
@click.option(
    "--scopes",
    required=True,
    metavar="A,B",
    help=f"Any of {', '.join(Scope)}; `admin` includes the others.",
)
@click.option(
    "--expires-days",
    type=click.IntRange(min=1),
    help="Days until it ends by itself; API_KEY_DAYS when left out.",
)
@click.option("--never-expires", is_flag=True, help="Let it work until it is revoked.")
@click.option(
    "--allow-from",
    "networks",
    multiple=True,
    metavar="CIDR",
    callback=_networks,
    help="Let it work from this address or network alone; may be repeated.",
)
def create(
    tenant_id: UUID,
    name: str,
    scopes: str,
    expires_days: int | None,
    networks: tuple[str, ...],
    *,
    never_expires: bool,
) -> None:
    """Make a key and print it; it cannot be shown again."""
    if never_expires and expires_days:
        raise click.UsageError("--expires-days and --never-expires exclude each other")
    expires_at = dt.datetime.now(dt.UTC) + dt.timedelta(days=expires_days) if expires_days else None
    wanted = NewKey(name, _scopes(scopes), expires_at, never_expires, networks or None)
    _key, text = issue_api_key(tenant_id, wanted)
    click.echo(text)


@group.command("list")
@tenant_option
def show(tenant_id: UUID) -> None:
    """Print id, prefix, name, scopes, expiry, revocation, last use and addresses of its keys."""
    table([_row(key) for key in list_api_keys(tenant_id, Window(_MOST_KEYS))])


@group.command("revoke")
@tenant_option
@click.argument("key_id", type=click.UUID)
def revoke(tenant_id: UUID, key_id: UUID) -> None:
    """End the key KEY_ID at once."""
    withdraw_api_key(tenant_id, key_id)


def _row(key: ApiKey) -> tuple[object, ...]:
    addresses = ",".join(key.allowed_addresses) if key.allowed_addresses else None
    times = (key.expires_at, key.revoked_at, key.last_used_at)
    return (key.id, key.prefix, key.name, ",".join(key.scopes), *times, addresses)


def _scopes(text: str) -> list[Scope]:
    try:
        scopes = [Scope(part.strip()) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise click.BadParameter(f"{error}; choose from {', '.join(Scope)}") from error
    if not scopes:
        raise click.BadParameter(f"a key needs a scope; choose from {', '.join(Scope)}")
    return scopes
