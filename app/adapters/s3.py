"""Objects in S3: bounded reads and server-named writes."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from app.config import Settings
from app.domain.errors import (
    BucketForbidden,
    ImageNotFound,
    ImageTooLarge,
    StorageRefused,
    StorageUnavailable,
    Unavailable,
)
from app.domain.storage import ObjectLocation

_MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "404", "NotFound"})
_DENIED = frozenset({"AccessDenied", "403", "Forbidden", "InvalidAccessKeyId", "AllAccessDisabled"})


@dataclass(frozen=True)
class ObjectStore:
    """A thread-safe S3 client with time-outs, retries and a limit on what one object may weigh."""

    client: Any
    max_bytes: int

    @classmethod
    def from_settings(cls, settings: Settings, *, connections: int = 16) -> ObjectStore:
        """Connect with the settings' keys, or boto3's own chain when they are unset."""
        client = boto3.client(
            "s3",
            endpoint_url=settings.aws_endpoint_url_s3,
            region_name=settings.aws_s3_region_name,
            aws_access_key_id=settings.aws_access_key_id,
            aws_secret_access_key=settings.aws_secret_access_key,
            config=Config(
                connect_timeout=5,
                read_timeout=20,
                retries={"max_attempts": 5, "mode": "standard"},
                max_pool_connections=connections,
                s3={"addressing_style": "path" if settings.aws_endpoint_url_s3 else "auto"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        return cls(client, settings.max_upload_size)

    def read(self, location: ObjectLocation) -> bytes:
        """The object's bytes, in one GET; its size is checked before the body is read.

        Raises:
            ImageNotFound: no such bucket or key.
            BucketForbidden: the service's own S3 key may not read it.
            ImageTooLarge: it weighs more than MAX_UPLOAD_SIZE.
            StorageUnavailable: S3 did not answer after retries.
        """
        try:
            answer = self.client.get_object(Bucket=location.bucket, Key=location.key)
            with answer["Body"] as body:
                if answer["ContentLength"] > self.max_bytes:
                    raise ImageTooLarge(
                        f"the image has {answer['ContentLength']} bytes; "
                        f"at most {self.max_bytes} are accepted"
                    )
                content: bytes = body.read()
                return content
        except ClientError as error:
            raise _as_item_error(error, location) from error
        except (BotoCoreError, OSError) as error:
            raise StorageUnavailable(f"S3 did not deliver {location}: {error}") from error

    def write(self, location: ObjectLocation, content: bytes, content_type: str) -> None:
        """Store an upload.

        Raises:
            StorageRefused: S3 answered that it does not take it.
            Unavailable: S3 did not take it after retries; it may have the object all the same.
        """
        try:
            self.client.put_object(
                Bucket=location.bucket, Key=location.key, Body=content, ContentType=content_type
            )
        except (ClientError, BotoCoreError, OSError) as error:
            kind = StorageRefused if _is_refusal(error) else Unavailable
            raise kind("The image store does not answer; try again", retry_after=5) from error

    def delete(self, location: ObjectLocation) -> None:
        """Remove an object; one that is already gone is fine.

        Raises:
            StorageUnavailable: S3 did not answer after retries.
        """
        try:
            self.client.delete_object(Bucket=location.bucket, Key=location.key)
        except (ClientError, BotoCoreError, OSError) as error:
            raise StorageUnavailable(f"S3 did not delete {location}: {error}") from error

    def delete_below(self, prefix: ObjectLocation) -> int:
        """Remove all objects below a prefix, a thousand a call; returns how many there were.

        Raises:
            StorageUnavailable: S3 did not answer after retries, or kept some.
        """
        deleted = 0
        below = {"Bucket": prefix.bucket, "Prefix": prefix.key}
        try:
            for page in self.client.get_paginator("list_objects_v2").paginate(**below):
                keys = [{"Key": item["Key"]} for item in page.get("Contents", ())]
                if keys:
                    wanted = {"Objects": keys, "Quiet": True}
                    answer = self.client.delete_objects(Bucket=prefix.bucket, Delete=wanted)
                    _require_none_kept(prefix, answer)
                    deleted += len(keys)
        except (ClientError, BotoCoreError, OSError) as error:
            raise StorageUnavailable(
                f"S3 did not delete what is below {prefix}: {error}"
            ) from error
        return deleted

    def check(self, bucket: str) -> None:
        """Raise StorageUnavailable unless the bucket answers; for readiness."""
        try:
            self.client.head_bucket(Bucket=bucket)
        except (ClientError, BotoCoreError, OSError) as error:
            raise StorageUnavailable(f"bucket {bucket} does not answer: {error}") from error


def _is_refusal(error: Exception) -> bool:
    if not isinstance(error, ClientError):
        return False
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR


def _require_none_kept(prefix: ObjectLocation, answer: dict[str, Any]) -> None:
    if kept := answer.get("Errors"):
        first = kept[0]
        reason = f"{first.get('Key')}: {first.get('Code')}"
        raise StorageUnavailable(f"S3 kept {len(kept)} objects below {prefix}, such as {reason}")


def _as_item_error(
    error: ClientError, location: ObjectLocation
) -> ImageNotFound | BucketForbidden | StorageUnavailable:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _MISSING:
        return ImageNotFound(f"there is no object {location}")
    if code in _DENIED:
        return BucketForbidden(f"this service may not read {location}")
    return StorageUnavailable(f"S3 did not deliver {location}: {code}")
