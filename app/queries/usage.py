"""Reads of usage: of one tenant, or of all for an operator."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, select, text
from sqlalchemy.orm import Session

from app.domain.usage import UsageGroup, UsageOperation, UsageOutcome, UsageQuestion
from app.models.usage import UsageEntry

_GROUPS = {
    UsageGroup.DAY: "day",
    UsageGroup.MONTH: "CAST(date_trunc('month', day) AS date)",
    UsageGroup.OPERATION: "operation",
    UsageGroup.OUTCOME: "outcome",
}
_FIRST_DAY = "DATE '0001-01-01'"


def _number(values: type[StrEnum], column: str) -> str:
    return f"array_position(CAST('{{{','.join(values)}}}' AS text[]), {column})"


# The place of a group among the others: by day or month, then in the order of the enumerations.
_PLACES = {
    UsageGroup.DAY: f"(day - {_FIRST_DAY}) * 100",
    UsageGroup.MONTH: f"({_GROUPS[UsageGroup.MONTH]} - {_FIRST_DAY}) * 100",
    UsageGroup.OPERATION: f"{_number(UsageOperation, 'operation')} * 10",
    UsageGroup.OUTCOME: _number(UsageOutcome, "outcome"),
}
BEFORE_FIRST = -1


def read_usage(
    session: Session,
    tenant_id: UUID | None,
    question: UsageQuestion,
    *,
    after: int = BEFORE_FIRST,
    limit: int | None = None,
) -> Sequence[Row[Any]]:
    """Usage of a tenant by what is asked; of all tenants, by tenant as well, for None.

    Returns:
        Rows of tenant_id, place, day, month, operation, outcome (None: not told apart by it) and
        the amounts, behind the place `after`: up to `limit` and one more.
    """
    values = {
        "tenant_id": tenant_id,
        "first": question.first,
        "last": question.last,
        "after": after,
        "limit": None if limit is None else limit + 1,
    }
    statement = _statement(question.groups, of_one=tenant_id is not None)
    return session.execute(statement, values).all()


def _statement(groups: frozenset[UsageGroup], *, of_one: bool) -> TextClause:
    place = " + ".join(_PLACES[group] for group in UsageGroup if group in groups) or "0"
    columns = ", ".join(
        f"{_GROUPS[group]} AS {group}" if group in groups else f"NULL AS {group}"
        for group in UsageGroup
    )
    return text(f"""
SELECT * FROM (
  SELECT tenant_id, place, min(day) AS day, min(month) AS month, min(operation) AS operation,
    min(outcome) AS outcome, CAST(sum(images) AS bigint) AS images,
    CAST(sum(faces) AS bigint) AS faces, CAST(sum(inference_ms) AS bigint) AS inference_ms,
    CAST(sum(webhooks) AS bigint) AS webhooks
  FROM (
    SELECT tenant_id, {place} AS place, {columns}, images, faces, inference_ms, webhooks
    FROM usage_days
    WHERE day BETWEEN :first AND :last {"AND tenant_id = :tenant_id" if of_one else ""}
  ) AS counted GROUP BY tenant_id, place
) AS grouped WHERE place > :after ORDER BY tenant_id, place LIMIT :limit
""")  # noqa: S608 - expressions of ours


def waiting_since(session: Session, tenant_id: UUID | None) -> dt.datetime | None:
    """When the first of the notes was written that are not rolled up; of all tenants, for None."""
    query = select(UsageEntry.noted_at).limit(1)
    if tenant_id is None:
        return session.scalar(query.order_by(UsageEntry.noted_at))
    return session.scalar(query.where(UsageEntry.tenant_id == tenant_id).order_by(UsageEntry.id))
