"""The items of a shard that are still to be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
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


def claimed_subjects(session: Session, job_id: UUID, seqs: Sequence[int]) -> dict[int, UUID | None]:
    """Whom each item shows or is compared with, by the client's word."""
    rows = session.execute(
        select(Item.seq, Item.subject_id).where(Item.job_id == job_id, Item.seq.in_(seqs))
    )
    return {row.seq: row.subject_id for row in rows}
