"""Objects as a listing of S3 shows them."""

from __future__ import annotations

from scripts.importing.storage import S3Object


def listed(*keys: str, version: str | None = "v1", size: int = 9) -> list[S3Object]:
    """Objects with these keys, all of one size and version."""
    return [S3Object(key, size, version) for key in keys]
