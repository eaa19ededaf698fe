"""The items of a shard that are still to be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import Session

from app.domain.lease import Lease
from app.models.job import Item

_CLAIMED = text("""
SELECT items.job_id, items.seq, items.subject_id, items.image_uri
FROM unnest(:job_ids, CAST(:seqs AS integer[])) AS wanted (job_id, seq)
JOIN items ON items.job_id = wanted.job_id AND items.seq = wanted.seq
""").bindparams(bindparam("job_ids", type_=ARRAY(PG_UUID)))


@dataclass(frozen=True, slots=True)
class OpenItem:
    """An item to recognise: where its image is, and its reference if it has one."""

    seq: int
    image_uri: str
    image_version: str | None
    reference_uri: str | None
    reference_version: str | None


_OPEN = select(
    Item.seq, Item.image_uri, Item.image_version, Item.reference_uri, Item.reference_version
).where(Item.state == "pending")


def open_items(session: Session, lease: Lease) -> list[OpenItem]:
    """The pending items of a leased shard, in order."""
    rows = session.execute(
        _OPEN.where(
            Item.job_id == lease.shard.job_id,
            Item.seq >= lease.first_seq,
            Item.seq < lease.first_seq + lease.item_count,
        ).order_by(Item.seq)
    )
    return [OpenItem(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Claim:
    """What the client says of an item: whom it shows or is compared with, and where it lies."""

    subject_id: UUID | None
    image_uri: str

    @property
    def place_sha256(self) -> bytes:
        """By what faces remember their image's place."""
        return sha256(self.image_uri.encode()).digest()


def claims(session: Session, items: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], Claim]:
    """What the client says of each item (job, number)."""
    parameters = {"job_ids": [job_id for job_id, _ in items], "seqs": [seq for _, seq in items]}
    rows = session.execute(_CLAIMED, parameters)
    return {(row.job_id, row.seq): Claim(row.subject_id, row.image_uri) for row in rows}
