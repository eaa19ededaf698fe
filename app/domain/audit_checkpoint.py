"""A checkpoint: what is signed about a tenant's chain, and how it is written down for export."""

from __future__ import annotations

import base64
import datetime as dt
import json
from dataclasses import dataclass
from uuid import UUID

from app.domain.audit_chain import canonical_json, timestamp

KIND = "facequeue-audit-checkpoint"


@dataclass(frozen=True)
class Head:
    """A place of a tenant's chain and the hash there, at a moment."""

    tenant_id: UUID
    chain_no: int
    chain_hash: bytes
    created_at: dt.datetime

    def statement(self) -> bytes:
        """The bytes that are signed."""
        return canonical_json(self.members())

    def members(self) -> dict[str, object]:
        """The statement as an object."""
        return {
            "kind": KIND,
            "v": 1,
            "tenant_id": str(self.tenant_id),
            "chain_no": self.chain_no,
            "chain_hash": self.chain_hash.hex(),
            "created_at": timestamp(self.created_at),
        }


@dataclass(frozen=True)
class Checkpoint:
    """A signed head; `signed_by` names the key."""

    head: Head
    signed_by: str
    signature: bytes

    def line(self) -> bytes:
        """One line of an exported file."""
        signed = {
            **self.head.members(),
            "signed_by": self.signed_by,
            "signature": base64.b64encode(self.signature).decode(),
        }
        return canonical_json(signed) + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> Checkpoint:
        """Read what `line` wrote.

        Raises:
            ValueError: the line is no checkpoint.
        """
        try:
            read = json.loads(line)
            head = Head(
                UUID(read["tenant_id"]),
                int(read["chain_no"]),
                bytes.fromhex(read["chain_hash"]),
                dt.datetime.fromisoformat(read["created_at"]),
            )
            return cls(head, str(read["signed_by"]), base64.b64decode(read["signature"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a checkpoint: {line[:100]!r}") from error
