"""Ids, and the time inside them."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from uuid6 import uuid7

# Stands for the tenant of what concerns none, or all: events of the installation itself.
INSTALLATION = UUID(int=0)


def new_id() -> UUID:
    """A UUIDv7: unique and ordered by the millisecond of its making (RFC 9562, section 5.7)."""
    return UUID(int=uuid7().int)


def id_floor(moment: dt.datetime) -> UUID:
    """The smallest UUIDv7 of a moment: the partition bound that divides ids before and after it."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (0b10 << 62))
