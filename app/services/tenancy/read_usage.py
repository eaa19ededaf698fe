"""Use cases: a tenant reads its usage, and an operator that of all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from app.database.recent_reads import recent_reads
from app.database.transactions import owner_transaction
from app.domain.identifiers import INSTALLATION
from app.domain.usage import UsageGroup, UsageQuestion
from app.queries import usage as queries
from app.services.tenancy.tenants import require_tenant


@dataclass(frozen=True)
class Usage:
    """What was asked, what was counted, and since when something waits to be; None: nothing does.

    Of each row see `queries.usage.read_usage`.
    """

    question: UsageQuestion
    rows: Sequence[Row[Any]]
    waiting_since: dt.datetime | None


def usage_question(
    first: dt.date | None, last: dt.date | None, groups: Collection[UsageGroup]
) -> UsageQuestion:
    """Ask of some days, as of today (UTC).

    Raises:
        Invalid: there are no such days, or too many; or the groups exclude each other.
    """
    return UsageQuestion.of(first, last, groups, dt.datetime.now(dt.UTC).date())


def read_usage(tenant_id: UUID, question: UsageQuestion, *, after: int | None, limit: int) -> Usage:
    """Read a tenant's usage behind the place `after`: up to `limit` rows and one more."""
    place = queries.BEFORE_FIRST if after is None else after
    return recent_reads().read(
        tenant_id,
        lambda session: Usage(
            question,
            queries.read_usage(session, tenant_id, question, after=place, limit=limit),
            queries.waiting_since(session, tenant_id),
        ),
    )


def report_usage(tenant_id: UUID | None, question: UsageQuestion) -> Usage:
    """Read the usage of one tenant, or of all; that of erased ones together is INSTALLATION's.

    Raises:
        NotFound: no tenant has the id.
    """
    with owner_transaction() as session:
        if tenant_id not in (None, INSTALLATION):
            require_tenant(session, tenant_id)
        rows = queries.read_usage(session, tenant_id, question)
        return Usage(question, rows, queries.waiting_since(session, tenant_id))
