"""An entry of the erasure ledger, as it is written to a file beside the backups and read back."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self
from uuid import UUID


class ErasedKind(StrEnum):
    """What was erased; in the order in which a restored backup forgets them best."""

    TENANT = "tenant"
    COLLECTION = "collection"
    SUBJECT = "subject"
    FACE = "face"
    JOB = "job"
    IMAGE = "image"
    API_KEY = "api_key"


@dataclass(frozen=True)
class ErasedThing:
    """Something that was erased: ids alone."""

    id: UUID
    tenant_id: UUID
    kind: ErasedKind
    target_id: UUID
    collection_id: UUID | None
    job_id: UUID | None
    item_seq: int | None
    created_at: dt.datetime

    def line(self) -> str:
        """One JSON object, without a line's end."""
        return json.dumps({name: _plain(value) for name, value in asdict(self).items()})

    @classmethod
    def parse(cls, line: str | bytes) -> Self:
        """Read a line.

        Raises:
            ValueError: it is no entry of the ledger.
        """
        try:
            told: dict[str, Any] = json.loads(line)
            return cls(
                id=UUID(told["id"]),
                tenant_id=UUID(told["tenant_id"]),
                kind=ErasedKind(told["kind"]),
                target_id=UUID(told["target_id"]),
                collection_id=_id(told["collection_id"]),
                job_id=_id(told["job_id"]),
                item_seq=told["item_seq"],
                created_at=dt.datetime.fromisoformat(told["created_at"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not an entry of the erasure ledger: {error}") from error


def _plain(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)
