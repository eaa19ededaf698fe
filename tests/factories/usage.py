"""What usage has of a tenant: rolled up, and still waiting."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from app.database.transactions import owner_transaction

AMOUNTS = ("images", "faces", "inference_ms", "webhooks")
_SUMS = ", ".join(f"sum({name})::bigint AS {name}" for name in AMOUNTS)


def rolled_up(tenant_id: UUID) -> dict[tuple[str, str], tuple[int, ...]]:
    """Of all days: images, faces and webhooks, by operation and outcome."""
    return {
        (row.operation, row.outcome): (row.images, row.faces, row.webhooks)
        for row in _read(
            f"SELECT operation, outcome, {_SUMS} FROM usage_days WHERE tenant_id = :tenant "
            "GROUP BY 1, 2",
            tenant_id,
        )
    }


def images_by_outcome(tenant_id: UUID) -> Counter[str]:
    """Of all days, without what is zero."""
    found: Counter[str] = Counter()
    for (_operation, outcome), (images, *_) in rolled_up(tenant_id).items():
        found[outcome] += images
    return +found


def inference_ms(tenant_id: UUID) -> dict[str, int]:
    """Of all days, by outcome."""
    query = f"SELECT outcome, {_SUMS} FROM usage_days WHERE tenant_id = :tenant GROUP BY 1"
    return {row.outcome: row.inference_ms for row in _read(query, tenant_id)}


def days(tenant_id: UUID) -> dict[str, int]:
    """How many images each day has."""
    found = _read(
        "SELECT day, sum(images) AS images FROM usage_days WHERE tenant_id = :tenant GROUP BY day",
        tenant_id,
    )
    return {row.day.isoformat(): int(row.images) for row in found}


def notes(tenant_id: UUID) -> int:
    """How many notes wait to be rolled up."""
    query = "SELECT count(*) FROM usage_entries WHERE tenant_id = :tenant"
    return int(_read(query, tenant_id)[0][0])


def add_note(tenant_id: UUID, noted_at: str, **columns: Any) -> None:
    """A note of a detection of one image, unless `columns` say otherwise, of another moment."""
    values = {"operation": "detect", "outcome": "succeeded", "images": 1} | columns
    names = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    with owner_transaction() as session:
        session.execute(
            text(
                f"INSERT INTO usage_entries (tenant_id, noted_at, {names}) "
                f"VALUES (:tenant_id, CAST(:noted_at AS timestamptz), {places})"
            ),
            {"tenant_id": tenant_id, "noted_at": noted_at, **values},
        )


def _read(query: str, tenant_id: UUID) -> list[Row[Any]]:
    with owner_transaction() as session:
        return list(session.execute(text(query), {"tenant": tenant_id}))
