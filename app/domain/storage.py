"""Places in S3, and which of them a tenant may read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class ObjectLocation:
    """A bucket and a key (or, for a permission, a key prefix)."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @classmethod
    def parse(cls, uri: str) -> ObjectLocation:
        """Read `s3://bucket/key`.

        Raises:
            ValueError: the text is not such a URI.
        """
        bucket, separator, key = uri.removeprefix("s3://").partition("/")
        if not uri.startswith("s3://") or not bucket or not separator:
            raise ValueError(f"{uri!r} is not of the form s3://bucket/key")
        return cls(bucket, key)

    def within(self, allowed: Iterable[ObjectLocation]) -> bool:
        """Whether one of the allowed bucket prefixes covers this object.

        A prefix ends at a path segment: `photos` covers `photos/a.jpg`, not `photos-private/a.jpg`.
        """
        return any(
            self.bucket == place.bucket
            and (not place.key or self.key.startswith(place.key.rstrip("/") + "/"))
            for place in allowed
        )


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

    def covers(self, location: ObjectLocation) -> bool:
        """Whether the tenant may read this object."""
        if location.bucket == self.uploads_bucket and location.key.startswith(f"{UPLOADS}/"):
            return location.within([upload_location(self.uploads_bucket, self.tenant_id, "")])
        return location.within(self.places)


def upload_location(bucket: str, tenant_id: object, image_id: object) -> ObjectLocation:
    """Where an uploaded image goes: a key the server makes, under a prefix of the tenant's own."""
    return ObjectLocation(bucket, f"{UPLOADS}/{tenant_id}/{image_id}")
