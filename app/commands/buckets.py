from __future__ import annotations

from uuid import UUID

import click

from app.commands.api_keys import tenant_option
from app.commands.typed_errors import CommandGroup
from app.domain.storage import ObjectLocation
from app.services.tenancy.storage_places import allow_location, deny_location, list_locations
from app.services.upkeep.make_upload_bucket import make_upload_bucket

group = CommandGroup(
    "buckets", help="The bucket of uploads, and the S3 places that a tenant's jobs may read."
)


class _Location(click.ParamType[ObjectLocation]):
    name = "s3://bucket/prefix"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> ObjectLocation:
        text = str(value)
        if text.startswith("s3://") and "/" not in text.removeprefix("s3://"):
            text += "/"  # s3://bucket is the whole bucket
        try:
            return ObjectLocation.parse(text)
        except ValueError as error:
            self.fail(str(error), param, ctx)


_place = click.argument("place", type=_Location(), metavar="S3://BUCKET/PREFIX")


@group.command("allow")
@tenant_option
@_place
def allow(tenant_id: UUID, place: ObjectLocation) -> None:
    """Let the tenant's jobs read everything below a prefix, or a whole bucket."""
    allow_location(tenant_id, place)


@group.command("deny")
@tenant_option
@_place
def deny(tenant_id: UUID, place: ObjectLocation) -> None:
    """Take back what `allow` gave."""
    deny_location(tenant_id, place)


@group.command("list")
@tenant_option
def show(tenant_id: UUID) -> None:
    """Print the places, one a line."""
    for place in list_locations(tenant_id):
        click.echo(str(place))


@group.command("make")
@click.option(
    "--wait",
    "patience",
    type=click.FloatRange(min=0),
    default=0,
    metavar="SECONDS",
    help="How long to ask again a server that does not answer yet.",
)
def make(patience: float) -> None:
    """Make the bucket of uploads, AWS_STORAGE_BUCKET_NAME, unless it is there."""
    made = make_upload_bucket(patience)
    click.echo("The bucket has been made" if made else "The bucket is there")
