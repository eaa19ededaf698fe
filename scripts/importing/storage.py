"""Reading the listing of a bucket, with what goes wrong there as faults of the import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
)

from scripts.importing.failures import Unreachable, UsageFault


class Paginator(Protocol):
    """The part of boto3's `list_objects_v2` paginator that is used."""

    def paginate(self, **kwargs: str) -> Iterator[Mapping[str, Any]]:
        """Pages of a listing, in the order of the keys."""
        ...


class S3Client(Protocol):
    """The part of boto3's S3 client that is used."""

    def get_paginator(self, operation_name: str) -> Paginator:
        """A paginator for one call."""
        ...


class S3Object(NamedTuple):
    """An object as a listing shows it."""

    key: str
    size: int = 1
    version: str | None = None  # another one when the object was written anew; None: not known


class Bucket:
    """One bucket. Its calls raise `UsageFault` and `Unreachable`."""

    def __init__(self, name: str, client: S3Client | None = None) -> None:
        self.name = name
        with _faults(name):
            self._client = client or boto3.client("s3")

    def objects(self, prefix: str) -> Iterator[S3Object]:
        """The objects whose keys begin so, in S3's own (byte) order."""
        for page in self._pages(prefix):
            for entry in page.get("Contents", ()):
                yield S3Object(entry["Key"], entry["Size"], _version(entry))

    def children(self, prefix: str) -> list[str]:
        """What begins so, without what lies in folders: keys, and folders with their slash."""
        names: set[str] = set()
        for page in self._pages(prefix, Delimiter="/"):
            names.update(entry["Key"] for entry in page.get("Contents", ()))
            names.update(entry["Prefix"] for entry in page.get("CommonPrefixes", ()))
        return sorted(names)

    def _pages(self, prefix: str, **more: str) -> Iterator[Mapping[str, Any]]:
        with _faults(f"{self.name}/{prefix}"):
            paginator = self._client.get_paginator("list_objects_v2")
            yield from paginator.paginate(Bucket=self.name, Prefix=prefix, **more)


def _version(entry: Mapping[str, Any]) -> str:
    """Size and time stand beside the ETag, which not every server makes from the content."""
    written = entry["LastModified"].isoformat()
    return f"{entry.get('ETag', '').strip(chr(34))} {entry['Size']} {written}"


@contextmanager
def _faults(place: str) -> Iterator[None]:
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise UsageFault(
            "no S3 credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            " (after the quickstart: source .facequeue/env)"
        ) from error
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        kind = Unreachable if status >= HTTPStatus.INTERNAL_SERVER_ERROR else UsageFault
        raise kind(f"S3 refuses to list s3://{place}: {error}") from error
    except (ParamValidationError, ProfileNotFound, ValueError) as error:
        raise UsageFault(f"S3 cannot be asked for s3://{place}: {error}") from error
    except BotoCoreError as error:
        raise Unreachable(f"S3 does not answer: {error}") from error
