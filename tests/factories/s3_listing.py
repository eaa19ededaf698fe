"""S3 as far as it lists: keys of one bucket, two a page, below a prefix and up to a delimiter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

WRITTEN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class FakeS3:
    """The part of boto3's client that lists."""

    def __init__(self, *keys: str, error: Exception | None = None) -> None:
        self._keys = keys
        self._error = error

    def get_paginator(self, operation_name: str) -> FakeS3:
        """The client is its own paginator."""
        assert operation_name == "list_objects_v2"
        return self

    def paginate(self, **kwargs: str) -> Iterator[dict[str, Any]]:
        """Pages as S3 has them, one without objects among them."""
        prefix, delimiter = kwargs["Prefix"], kwargs.get("Delimiter")
        if self._error:
            raise self._error
        below = [key for key in self._keys if key.startswith(prefix)]
        folders = {self._folder(key, prefix, delimiter) for key in below} - {None}
        yield {"CommonPrefixes": [{"Prefix": folder} for folder in folders]}
        keys = [key for key in below if self._folder(key, prefix, delimiter) is None]
        for start in range(0, len(keys), 2):
            yield {"Contents": [self._entry(key) for key in keys[start : start + 2]]}

    def _folder(self, key: str, prefix: str, delimiter: str | None) -> str | None:
        head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        return prefix + head + found if found else None

    def _entry(self, key: str) -> dict[str, Any]:
        return {"Key": key, "Size": 9, "ETag": '"d41d"', "LastModified": WRITTEN}
