"""`flask usage`: what tenants have had done."""

from __future__ import annotations

import csv
import datetime as dt
import json
import sys
from typing import Any
from uuid import UUID

import click

from app.commands.typed_errors import CommandGroup, table
from app.domain.request_errors import Invalid
from app.domain.usage import UsageGroup, UsageQuestion
from app.services.tenancy.read_usage import Usage, report_usage, usage_question

group = CommandGroup("usage", help="What tenants have had done, by UTC days.")

_DAY = click.DateTime(["%Y-%m-%d"])
_AMOUNTS = ("images", "faces", "inference_seconds", "webhooks")


@group.command("report")
@click.option("--tenant", "tenant_id", type=click.UUID, metavar="ID", help="This tenant alone.")
@click.option("--from", "first", type=_DAY, help="The first day; when left out, 30 days to --to.")
@click.option("--to", "last", type=_DAY, help="The last day, included; when left out, today.")
@click.option(
    "--group-by",
    "groups",
    type=click.Choice([group.value for group in UsageGroup]),
    multiple=True,
    help="What is told apart, beside tenants; may be repeated. Nothing when left out.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for scripts.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV with a line of names.")
def report(
    tenant_id: UUID | None,
    first: dt.datetime | None,
    last: dt.datetime | None,
    groups: tuple[str, ...],
    *,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Print tenant, what is told apart, images, faces, seconds of inference and webhooks.

    What erased tenants have used is summed up under the id of zeros. Says on stderr since when
    something waits to be counted.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    usage = report_usage(tenant_id, _question(first, last, groups))
    names = ["tenant_id", *(g.value for g in UsageGroup if g in usage.question.groups), *_AMOUNTS]
    rows = [_plain(row) for row in usage.rows]
    if as_json:
        click.echo(
            json.dumps(_object(usage, [{name: row[name] for name in names} for row in rows]))
        )
        return
    cells: list[tuple[object, ...]] = [tuple(row[name] for name in names) for row in rows]
    if as_csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows([names, *cells])
    else:
        table(cells)
    if usage.waiting_since:
        click.echo(f"waiting to be counted since {_moment(usage.waiting_since)}", err=True)


def _question(
    first: dt.datetime | None, last: dt.datetime | None, groups: tuple[str, ...]
) -> UsageQuestion:
    try:
        return usage_question(
            first and first.date(), last and last.date(), [UsageGroup(name) for name in groups]
        )
    except Invalid as error:
        said = "; ".join(f"{one.pointer.lstrip('/')}: {one.detail}" for one in error.errors)
        raise click.UsageError(said) from error


def _plain(row: Any) -> dict[str, Any]:
    """A row with values that JSON has."""
    values = row._asdict()
    values["tenant_id"] = str(row.tenant_id)
    values["inference_seconds"] = values.pop("inference_ms") / 1000
    return {
        name: value.isoformat() if isinstance(value, dt.date) else value
        for name, value in values.items()
    }


def _object(usage: Usage, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "from": usage.question.first.isoformat(),
        "to": usage.question.last.isoformat(),
        "waiting_since": usage.waiting_since and _moment(usage.waiting_since),
        "data": rows,
    }


def _moment(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds")
