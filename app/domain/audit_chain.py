"""A tenant's audit events as a chain: each hash covers an event, its place and the hash before.

docs/audit.md describes the form byte by byte, so that others can check it without this code.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

FORM_VERSION = 1
# What comes before the first event.
GENESIS = bytes(32)

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


class ChainedColumns(Protocol):
    """An event as the chain covers it: every column but those of the chain itself."""

    id: UUID
    tenant_id: UUID
    action: str
    actor_key_id: UUID | None
    actor_name: str | None
    actor_address: str | None
    target_type: str
    target_id: UUID | None
    detail: str
    """JSON as text: a number with a fraction must not pass through a float."""
    request_id: str | None
    created_at: dt.datetime
    transaction_id: int


def link_hash(previous: bytes, chain_no: int, event: ChainedColumns) -> bytes:
    """The hash of an event at a place of the chain, behind an event of hash `previous`."""
    form = {
        "v": FORM_VERSION,
        "previous_hash": previous.hex(),
        "chain_no": chain_no,
        "id": str(event.id),
        "tenant_id": str(event.tenant_id),
        "action": event.action,
        "actor_key_id": _id(event.actor_key_id),
        "actor_name": event.actor_name,
        "actor_address": event.actor_address,
        "target_type": event.target_type,
        "target_id": _id(event.target_id),
        "detail": json.loads(event.detail, parse_float=Decimal),
        "request_id": event.request_id,
        "created_at": timestamp(event.created_at),
        "transaction_id": event.transaction_id,
    }
    return hashlib.sha256(canonical_json(form)).digest()


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and without spaces, in UTF-8; fractions as the database writes them."""
    try:
        return _encode(value).encode()
    except TypeError:  # a Decimal is in it, which is rare
        return _write(value).encode()


def timestamp(moment: dt.datetime) -> str:
    """A moment in UTC with six digits of the second, such as `2026-01-02T03:04:05.000006Z`."""
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def _id(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _write(value: Any) -> str:
    if isinstance(value, dict):
        members = (f"{_encode(key)}:{_write(value[key])}" for key in sorted(value))
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_write, value)) + "]"
    return format(value, "f") if isinstance(value, Decimal) else _encode(value)
