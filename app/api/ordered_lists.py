"""Lists that a client may read from either end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from marshmallow import fields

from app.domain.windows import Order, Window
from app.web.auth import principal
from app.web.pagination import PageArgs, page


class OrderedArgs(PageArgs):
    """The query of a list by id."""

    order = fields.Enum(
        Order,
        by_value=fields.String,
        load_default=Order.DESC,
        metadata={"description": "By the time of making: `desc` is newest first"},
    )


def window_of(args: Mapping[str, Any]) -> Window:
    """Say which part of a list the query asks for."""
    return Window(args["limit"], args["cursor"], args["order"])


def ordered_page_of(
    list_rows: Callable[..., Sequence[Any]], args: Mapping[str, Any], *of: UUID, **filters: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """Answer a list of a tenant's rows, each with an `id`.

    Args:
        list_rows: the use case, of `(tenant_id, *of, window, **filters)`.
        args: of the request, as `OrderedArgs` reads them.
        of: the ids in whose keeping the rows are.
        filters: what else the use case takes.
    """
    rows = list_rows(principal().tenant_id, *of, window_of(args), **filters)
    return page(rows, args["limit"], lambda row: row.id)
