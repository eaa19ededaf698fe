"""Objects in S3: bounded reads and server-named writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import islice
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from app.adapters.s3_encryption import encryption_of
from app.adapters.s3_timing import time_calls
from app.config import Settings
from app.domain.item_errors import (
    BucketElsewhere,
    BucketForbidden,
    EmptyObject,
    ImageNotFound,
    ImageTooLarge,
    ItemError,
    ObjectArchived,
    ObjectKeyUnavailable,
    ObjectNeedsKey,
    StorageClockSkew,
    StorageCredentialsRefused,
    StorageUnavailable,
)
from app.domain.request_errors import (
    StorageRefused,
    Unavailable,
)
from app.domain.storage import ObjectLocation

# What S3 says, and what it means for the image. What stands here lasts; see `_passes` for the rest.
_MEANINGS: dict[str, tuple[type[ItemError], str]] = {
    **dict.fromkeys(
        ("NoSuchKey", "NoSuchBucket", "404", "NotFound", "NoSuchVersion", "MethodNotAllowed"),
        (ImageNotFound, "there is no object {place}"),
    ),
    **dict.fromkeys(
        ("KeyTooLongError", "InvalidBucketName", "InvalidURI", "InvalidRequest", "InvalidArgument"),
        (ImageNotFound, "no object can have the name {place}"),
    ),
    **dict.fromkeys(
        ("AccessDenied", "403", "Forbidden", "AllAccessDisabled", "AccountProblem"),
        (BucketForbidden, "this service may not read {place}"),
    ),
    **dict.fromkeys(
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"),
        (StorageCredentialsRefused, "S3 refuses this service's own credentials for {place}"),
    ),
    **dict.fromkeys(
        ("RequestTimeTooSkewed", "RequestExpired"),
        (StorageClockSkew, "S3 refuses {place}: this service's clock is wrong, or S3's"),
    ),
    **dict.fromkeys(
        ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"),
        (BucketElsewhere, "{place} lies in another region than AWS_S3_REGION_NAME"),
    ),
    "InvalidObjectState": (ObjectArchived, "{place} is archived; restore it first"),
    "KMS": (ObjectKeyUnavailable, "the KMS key of {place} is disabled, gone or not for us to use"),
    "SSE-C": (ObjectNeedsKey, "{place} is encrypted with a key of the client's own (SSE-C)"),
}
_WITHOUT_VERSIONS = "null"  # the one version of an object that was written without
_KEYS_A_CALL = 1000  # as many as S3 deletes in one
_PASSING = frozenset({"RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable"})
_PASSING_STATUS = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_PASSING_WORDS = ("Throttl", "Internal", "Timeout", "Unavailable")  # as in KMS.ThrottlingException


@dataclass(frozen=True)
class ObjectStore:
    """A thread-safe S3 client with time-outs, retries and a limit on what one object may weigh."""

    client: Any
    max_bytes: int
    encryption: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_settings(
        cls, settings: Settings, *, connections: int = 16, attempts: int = 5
    ) -> ObjectStore:
        """Connect with the settings' keys, or boto3's own chain when they are unset.

        `attempts` is 1 where the caller tries again itself: the library's budget for retries is one
        for all threads, and used up by the first few images of an outage.
        """
        client = boto3.client(
            "s3",
            endpoint_url=settings.aws_endpoint_url_s3,
            region_name=settings.aws_s3_region_name,
            aws_access_key_id=settings.aws_access_key_id,
            aws_secret_access_key=settings.aws_secret_access_key,
            config=Config(
                connect_timeout=5,
                read_timeout=20,
                retries={"total_max_attempts": attempts, "mode": "standard"},
                max_pool_connections=connections,
                s3={"addressing_style": "path" if settings.aws_endpoint_url_s3 else "auto"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        return cls(time_calls(client), settings.max_upload_size, encryption_of(settings))

    def read(self, location: ObjectLocation) -> bytes:
        """The object's bytes, of its version if one is named, in one GET.

        Its size is checked before the body is read.

        Raises:
            ImageTooLarge: it weighs more than MAX_UPLOAD_SIZE.
            EmptyObject: it weighs nothing.
            ItemError: S3 refuses it for good; the kind says why.
            StorageUnavailable: S3 did not answer, or could not just now.
        """
        version = {} if location.version is None else {"VersionId": location.version}
        try:
            answer = self.client.get_object(Bucket=location.bucket, Key=location.key, **version)
            with answer["Body"] as body:
                _require_version(location, answer.get("VersionId"))
                if answer["ContentLength"] > self.max_bytes:
                    raise ImageTooLarge(
                        f"the image has {answer['ContentLength']} bytes; "
                        f"at most {self.max_bytes} are accepted"
                    )
                content: bytes = body.read()
        except ClientError as error:
            raise _meaning(error, location.described) from error
        except (BotoCoreError, OSError) as error:
            raise _not_asked(error, location.described) from error
        if not content:
            raise EmptyObject(f"{location.described} has no bytes")
        return content

    def write(self, location: ObjectLocation, content: bytes, content_type: str) -> None:
        """Store an upload.

        Raises:
            StorageRefused: S3 answered that it does not take it.
            Unavailable: S3 did not take it after retries; it may have the object all the same.
        """
        try:
            self.client.put_object(
                Bucket=location.bucket,
                Key=location.key,
                Body=content,
                ContentType=content_type,
                ContentDisposition="attachment",  # a browser that is sent there shows nothing
                **self.encryption,
            )
        except (ClientError, BotoCoreError, OSError) as error:
            kind = StorageRefused if _is_refusal(error) else Unavailable
            raise kind("The image store does not answer; try again", retry_after=5) from error

    def keys(self, place: ObjectLocation) -> Iterator[str]:
        """The keys below a prefix, in their order.

        Raises:
            StorageUnavailable: S3 did not answer after retries.
        """
        pages = self.client.get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=place.bucket, Prefix=place.key):
                yield from (item["Key"] for item in page.get("Contents", ()))
        except (ClientError, BotoCoreError, OSError) as error:
            raise StorageUnavailable(f"S3 did not list {place}: {error}") from error

    def delete(self, location: ObjectLocation) -> None:
        """Remove an object; one that is already gone is fine.

        Raises:
            StorageUnavailable: S3 did not answer after retries.
        """
        try:
            self.client.delete_object(Bucket=location.bucket, Key=location.key)
        except (ClientError, BotoCoreError, OSError) as error:
            raise StorageUnavailable(f"S3 did not delete {location}: {error}") from error

    def delete_all(self, bucket: str, keys: Sequence[str]) -> dict[str, str]:
        """Remove up to a thousand objects in one call; those that are already gone are fine.

        Returns the keys that S3 kept, and why.

        Raises:
            StorageUnavailable: S3 did not answer after retries; it may have removed some.
        """
        wanted = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        try:
            answer = self.client.delete_objects(Bucket=bucket, Delete=wanted)
        except (ClientError, BotoCoreError, OSError) as error:
            raise StorageUnavailable(f"S3 kept objects of {bucket}: {error}") from error
        return {kept.get("Key", ""): kept.get("Code", "") for kept in answer.get("Errors", ())}

    def delete_below(self, prefix: ObjectLocation) -> int:
        """Remove all objects below a prefix, a thousand a call; returns how many there were.

        Raises:
            StorageUnavailable: S3 did not answer after retries, or kept some.
        """
        deleted, keys = 0, self.keys(prefix)
        while batch := list(islice(keys, _KEYS_A_CALL)):
            if kept := self.delete_all(prefix.bucket, batch):
                reason = ": ".join(next(iter(kept.items())))
                raise StorageUnavailable(
                    f"S3 kept {len(kept)} objects below {prefix}, such as {reason}"
                )
            deleted += len(batch)
        return deleted

    def check(self, bucket: str) -> None:
        """Raise the ItemError that images of this bucket would end with; for readiness.

        A listing needs the right that HeadBucket needs, and its refusal says why.
        """
        try:
            self.client.list_objects_v2(Bucket=bucket, MaxKeys=1)
        except ClientError as error:
            raise _meaning(error, f"s3://{bucket}") from error
        except (BotoCoreError, OSError) as error:
            raise _not_asked(error, f"s3://{bucket}") from error


def _is_refusal(error: Exception) -> bool:
    if not isinstance(error, ClientError):
        return False
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR


def _require_version(location: ObjectLocation, answered: str | None) -> None:
    """A bucket without versions may answer with what it has, whatever version it is asked for."""
    if location.version not in {None, _WITHOUT_VERSIONS, answered}:
        raise ImageNotFound(f"there is no {location.described}")


def _meaning(error: ClientError, place: object) -> ItemError:
    """The error of an image whose object S3 refuses: StorageUnavailable where waiting helps."""
    said = error.response.get("Error", {})
    code, message = str(said.get("Code", "")), str(said.get("Message", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if _passes(code, status):
        reason = code or f"HTTP {status}"
        return StorageUnavailable(f"S3 did not deliver {place}: {reason}", reason)
    kind, text = _MEANINGS.get(_cause(code, message), (None, ""))
    if kind is not None:
        return kind(text.format(place=place))
    if status == HTTPStatus.FORBIDDEN:
        return BucketForbidden(f"this service may not read {place}: {code}")
    return ItemError(f"S3 refuses {place}: {code} {message}".rstrip())


def _passes(code: str, status: int) -> bool:
    return (
        code in _PASSING
        or status in _PASSING_STATUS
        or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        or (code.startswith("KMS.") and any(word in code for word in _PASSING_WORDS))
    )


def _cause(code: str, message: str) -> str:
    """Name the cause where S3 has no code of its own for it."""
    if code.startswith("KMS.") or "kms:" in message:
        return "KMS"
    if code.startswith("Invalid") and "Server Side Encryption" in message:
        return "SSE-C"
    return code


def _not_asked(error: BotoCoreError | OSError, place: object) -> ItemError:
    """The error of an image that S3 gave no answer for."""
    if isinstance(error, ParamValidationError):
        return ImageNotFound(f"no object can have the name {place}")
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return StorageCredentialsRefused(f"this service has no S3 credentials to read {place} with")
    return StorageUnavailable(f"S3 did not deliver {place}: {error}", type(error).__name__)
