"""An upload that a client sends to S3 itself: what it says beforehand, and what it is given."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from uuid import UUID

from app.domain.item_errors import ImageNotCompleted, ImageNotFound, ItemError


@dataclass(frozen=True)
class UploadPromise:
    """What a client says that it will send; `sha256` is the digest itself, where it told one."""

    content_type: str
    byte_count: int
    sha256: bytes | None = None


@dataclass(frozen=True)
class SignedRequest:
    """A request that S3 takes from whoever has it: its URL is a secret, and is not shown."""

    url: str = field(repr=False)
    method: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Presigned:
    """An image to be, and how to send it."""

    id: UUID
    upload: SignedRequest
    expires_at: dt.datetime


@dataclass(frozen=True)
class NamedUploads:
    """Those of the uploads that a request names which the tenant has.

    Attributes:
        uris: where each lies that can be used.
        unfinished: those that were presigned, and not completed.
    """

    uris: dict[UUID, str] = field(default_factory=dict)
    unfinished: frozenset[UUID] = frozenset()

    def fault(self, image_id: UUID) -> ItemError | None:
        """Why an item cannot use this upload, or None when it can."""
        if image_id in self.unfinished:
            return ImageNotCompleted(
                f"the upload {image_id} is not completed: POST /images/{image_id}/complete"
            )
        if image_id not in self.uris:
            return ImageNotFound(f"no upload of yours has the id {image_id}")
        return None
