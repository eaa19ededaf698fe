"""The items of a shard that are still to be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.domain.lease import Lease
from app.models.job import Item


@dataclass(frozen=True, slots=True)
class OpenItem:
    """An item to recognise: where its image is, and its reference if it has one."""

    seq: int
    image_uri: str
    reference_uri: str | None


def open_items(session: Session, lease: Lease) -> list[OpenItem]:
    """The pending items of a leased shard, in order."""
    rows = session.execute(
        select(Item.seq, Item.image_uri, Item.reference_uri)
        .where(
            Item.job_id == lease.shard.job_id,
            Item.seq >= lease.first_seq,
            Item.seq < lease.first_seq + lease.item_count,
            Item.state == "pending",
        )
        .order_by(Item.seq)
    )
    return [OpenItem(row.seq, row.image_uri, row.reference_uri) for row in rows]


def claimed_subjects(
    session: Session, items: Sequence[tuple[UUID, int]]
) -> dict[tuple[UUID, int], UUID | None]:
    """Whom each item (job, number) shows or is compared with, by the client's word."""
    rows = session.execute(
        select(Item.job_id, Item.seq, Item.subject_id).where(
            # The jobs by themselves too: so the plan holds their partitions only.
            Item.job_id.in_({job_id for job_id, _ in items}),
            tuple_(Item.job_id, Item.seq).in_(items),
        )
    )
    return {(row.job_id, row.seq): row.subject_id for row in rows}
