"""Who does something, for the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Actor:
    """The key and the request behind an action; nothing when the system acts by itself.

    An operator at a command line has no key but a name: that of the operating system's user.
    `address` is the client's, or the name of the host on which the operator works.
    """

    key_id: UUID | None = None
    request_id: str | None = None
    address: str | None = None
    name: str | None = None


SYSTEM = Actor()
