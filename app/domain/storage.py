"""Places in S3, and which of them a tenant may read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

_SCHEME = "s3://"
# As servers on any system see it: SeaweedFS takes a backslash for a slash.
_DOT_SEGMENT = re.compile(r"[/\\]\.{1,2}([/\\]|$)")


@dataclass(frozen=True)
class ObjectLocation:
    """A bucket and a key (or, for a permission, a key prefix)."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.key}"

    @classmethod
    def parse(cls, uri: str) -> ObjectLocation:
        """Read `s3://bucket/key`.

        Raises:
            ValueError: the text is not such a URI.
        """
        bucket, separator, key = uri.removeprefix(_SCHEME).partition("/")
        if not uri.startswith(_SCHEME) or not bucket or not separator:
            raise ValueError(f"{uri!r} is not of the form s3://bucket/key")
        return cls(bucket, key)

    @property
    def uri_prefix(self) -> str:
        """How the URIs of all objects below this prefix begin.

        A prefix ends at a path segment: `photos` covers `photos/a.jpg`, not `photos-private/a.jpg`.
        """
        return f"{_SCHEME}{self.bucket}/" + (self.key.rstrip("/") + "/" if self.key else "")


def is_object_uri(uri: str) -> bool:
    """Whether a text is of the form `s3://bucket/key`, for thousands of them in a request."""
    bucket, _, key = uri.removeprefix(_SCHEME).partition("/")
    return uri.startswith(_SCHEME) and bool(bucket and key)


UPLOADS = "uploads"


@dataclass(frozen=True)
class ReadableStorage:
    """What a tenant's jobs may read: its registered places and its own uploads.

    A registered place never opens the uploads of other tenants, even when it is the whole bucket
    in which they lie.
    """

    uploads_bucket: str
    tenant_id: UUID
    places: tuple[ObjectLocation, ...] = ()

    def covers(self, uri: str) -> bool:
        """Whether the tenant may read the object of this URI.

        Never one with a `.` or `..` segment: some servers resolve them, out of the prefix.
        """
        if _DOT_SEGMENT.search(uri):
            return False
        uploads, own, registered = self._prefixes
        return uri.startswith(own if uri.startswith(uploads) else registered)

    @cached_property
    def _prefixes(self) -> tuple[str, str, tuple[str, ...]]:
        """How URIs of all uploads, of the tenant's uploads and of its places begin."""
        uploads = ObjectLocation(self.uploads_bucket, UPLOADS)
        own = upload_location(self.uploads_bucket, self.tenant_id, "")
        return uploads.uri_prefix, own.uri_prefix, tuple(p.uri_prefix for p in self.places)


def upload_location(bucket: str, tenant_id: object, image_id: object) -> ObjectLocation:
    """Where an uploaded image goes: a key the server makes, under a prefix of the tenant's own."""
    return ObjectLocation(bucket, f"{UPLOADS}/{tenant_id}/{image_id}")
