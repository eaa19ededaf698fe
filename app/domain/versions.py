"""Versions of a row that two may change: who changes it can say which one was read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection

from app.domain.request_errors import PreconditionFailed

# None: whatever it is now.
Accepted = Collection[str] | None


def version_of(*changeable: object) -> str:
    """Digest what of a row its owner may change; equal values have equal versions."""
    written = json.dumps(changeable, sort_keys=True, default=str)
    return hashlib.sha256(written.encode()).hexdigest()[:32]


def require_version(version: str, accepted: Accepted) -> None:
    """Let a change through to a row, locked, that is still what was read.

    Raises:
        PreconditionFailed: it is another by now.
    """
    if accepted is not None and version not in accepted:
        raise PreconditionFailed("It was changed since you read it: read it again, then decide")
