"""What clients keep with a row and we never read: how large it may be, and how it is changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.domain.request_errors import (
    FieldError,
    Invalid,
)

METADATA_BYTES = 16_384
METADATA_LEVELS = 32

_TOO_LARGE = f"Larger than {METADATA_BYTES} bytes as JSON"
_TOO_DEEP = f"Nested more than {METADATA_LEVELS} levels deep"


def metadata_fault(value: Mapping[str, Any]) -> str | None:
    """Say why it cannot be kept, without going through what is too large to its end."""
    # Depth first: whatever reads it again, here or at the client, recurses.
    level: list[Any] = [value]
    size = 0
    for _ in range(METADATA_LEVELS + 1):
        containers = [one for one in level if isinstance(one, (dict, list))]
        if not containers:
            break
        size += sum(map(len, containers))  # each takes a byte at least
        if size > METADATA_BYTES:
            return _TOO_LARGE
        level = [
            inner
            for one in containers
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    else:
        return _TOO_DEEP
    if len(json.dumps(value, ensure_ascii=False).encode()) > METADATA_BYTES:
        return _TOO_LARGE
    return None


def changed_metadata(present: Mapping[str, Any], patch: Mapping[str, Any] | None) -> dict[str, Any]:
    """Apply a JSON merge patch (RFC 7396); None takes all away.

    Raises:
        Invalid: the outcome is larger than may be kept.
    """
    merged: dict[str, Any] = {} if patch is None else _merged(present, patch)
    if fault := metadata_fault(merged):
        raise Invalid(errors=(FieldError("/metadata", fault),))
    return merged


def _merged(target: Any, patch: Any) -> Any:
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged
