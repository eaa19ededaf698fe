"""Who does something, for the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Actor:
    """The key and the request behind an action; both None when the system acts by itself."""

    key_id: UUID | None = None
    request_id: str | None = None


SYSTEM = Actor()
