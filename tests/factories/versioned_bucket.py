"""A bucket that keeps the versions of its objects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from scripts.stack import object_store
from scripts.stack.state import State


@dataclass(frozen=True)
class VersionedBucket:
    """One bucket with versioning, on the stack's S3."""

    client: Any
    name: str

    def put(self, key: str, content: bytes) -> str:
        """Write an object; returns the id of the version that this makes."""
        answer = self.client.put_object(Bucket=self.name, Key=key, Body=content)
        return str(answer["VersionId"])

    def delete(self, key: str) -> str:
        """Delete an object; returns the id of its delete marker."""
        return str(self.client.delete_object(Bucket=self.name, Key=key)["VersionId"])

    def uri(self, key: str) -> str:
        return f"s3://{self.name}/{key}"


@contextmanager
def versioned_bucket(services: State) -> Iterator[VersionedBucket]:
    """Make one, and remove it with all its versions."""
    bucket = VersionedBucket(object_store.client(services), f"versions-{uuid4().hex[:12]}")
    bucket.client.create_bucket(Bucket=bucket.name)
    enabled = {"Status": "Enabled"}
    bucket.client.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration=enabled)
    try:
        yield bucket
    finally:
        _remove(bucket)


def _remove(bucket: VersionedBucket) -> None:
    pages = bucket.client.get_paginator("list_object_versions").paginate(Bucket=bucket.name)
    for page in pages:
        for row in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
            bucket.client.delete_object(
                Bucket=bucket.name, Key=row["Key"], VersionId=row["VersionId"]
            )
    bucket.client.delete_bucket(Bucket=bucket.name)
