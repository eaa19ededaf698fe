"""Places in S3, and which of them a tenant may read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from app.domain.item_errors import (
    BucketForbidden,
    LocationInvalid,
)

_SCHEME = "s3://"
# As servers on any system see it: SeaweedFS takes a backslash for a slash.
_SLASHES = re.compile(r"[/\\]+")
_DOT_SEGMENT = re.compile(r"[/\\]\.{1,2}([/\\]|$)")

MAX_URI_LENGTH = 2048
MAX_VERSION_LENGTH = 1024
_SHOWN_LENGTH = 200  # of what is no URI


@dataclass(frozen=True)
class ObjectLocation:
    """A bucket and a key (or, for a permission, a key prefix); of an object, maybe its version."""

    bucket: str
    key: str
    version: str | None = None

    def __str__(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.key}"

    @property
    def described(self) -> str:
        """What errors call it."""
        return str(self) if self.version is None else f"{self} in version {self.version}"

    @classmethod
    def parse(cls, uri: str, version: str | None = None) -> ObjectLocation:
        """Read `s3://bucket/key`; a version stands beside it, since any key may have `?` in it.

        Raises:
            ValueError: the text is not such a URI.
        """
        bucket, separator, key = uri.removeprefix(_SCHEME).partition("/")
        if not uri.startswith(_SCHEME) or not bucket or not separator:
            raise ValueError(f"{uri!r} is not of the form s3://bucket/key")
        return cls(bucket, key, version)

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


def version_fault(version: str | None) -> LocationInvalid | None:
    """Why no object can have a version of this name, or None when one can."""
    if version is None or 1 <= len(version) <= MAX_VERSION_LENGTH:
        return None
    return LocationInvalid(f"an S3 version id has 1 to {MAX_VERSION_LENGTH} characters")


UPLOADS = "uploads"
INCOMING = "incoming"  # no tenant's id


@dataclass(frozen=True)
class ReadableStorage:
    """What a tenant's jobs may read: its registered places and its own uploads.

    A registered place never opens the uploads of other tenants, even when it is the whole bucket
    in which they lie.
    """

    uploads_bucket: str
    tenant_id: UUID
    places: tuple[ObjectLocation, ...] = ()

    def refusal(self, uri: str) -> LocationInvalid | BucketForbidden | None:
        """Why the tenant may not read the object of this URI, or None when it may.

        A key is opaque, whatever slashes, dots and percent signs it has. But some servers resolve
        `.` and `..`, which then lead out of a prefix: such a key needs the whole bucket.
        """
        if not is_object_uri(uri):
            return LocationInvalid(f"{uri[:_SHOWN_LENGTH]!r} is not of the form s3://bucket/key")
        if len(uri) > MAX_URI_LENGTH:
            return LocationInvalid(f"an S3 URI has {MAX_URI_LENGTH} characters at most")
        own, registered = self._prefixes
        if not uri.startswith(own if self._among_uploads(uri) else registered):
            return BucketForbidden(f"{uri} is not in a bucket or prefix registered for you")
        if _DOT_SEGMENT.search(uri) and not self._stays_within(ObjectLocation.parse(uri)):
            return LocationInvalid(
                f"{uri} has a segment that some servers resolve (. or ..): it can be read only "
                "within a bucket that is registered for you as a whole"
            )
        return None

    def _among_uploads(self, uri: str) -> bool:
        """Whether any server might take this for an upload, however many slashes it begins with."""
        bucket = f"{_SCHEME}{self.uploads_bucket}/"
        if not uri.startswith(bucket):
            return False
        return _SLASHES.sub("/", uri[len(bucket) :]).lstrip("/").startswith(f"{UPLOADS}/")

    def _stays_within(self, location: ObjectLocation) -> bool:
        """Whether a key leads to what the tenant may read, also where its dots are resolved."""
        whole = ObjectLocation(location.bucket, "") in self.places
        return whole and location.bucket != self.uploads_bucket and not _climbs_out(location.key)

    @cached_property
    def _prefixes(self) -> tuple[str, tuple[str, ...]]:
        """How URIs of the tenant's uploads and of its places begin."""
        own = upload_location(self.uploads_bucket, self.tenant_id, "")
        return own.uri_prefix, tuple(place.uri_prefix for place in self.places)


def _climbs_out(key: str) -> bool:
    """Whether a key, its dots resolved, leads above its bucket at any point."""
    depth = 0
    for segment in _SLASHES.split(key):
        if segment == "..":
            depth -= 1
        elif segment not in {"", "."}:
            depth += 1
        if depth < 0:
            return True
    return False


def upload_location(bucket: str, tenant_id: object, image_id: object) -> ObjectLocation:
    """Where an uploaded image goes: a key the server makes, under a prefix of the tenant's own."""
    return ObjectLocation(bucket, f"{UPLOADS}/{tenant_id}/{image_id}")


def incoming_location(bucket: str, tenant_id: object, image_id: object) -> ObjectLocation:
    """Where a client puts an upload itself: no tenant's jobs read there, its own neither."""
    return ObjectLocation(bucket, f"{UPLOADS}/{INCOMING}/{tenant_id}/{image_id}")
