"""Which images an import is about: an S3 prefix and the objects under it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from scripts.importing.failures import Unreachable, UsageFault

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


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


@dataclass(frozen=True)
class Source:
    """A bucket and a prefix in it; an empty prefix means the whole bucket."""

    bucket: str
    prefix: str = ""

    @classmethod
    def parse(cls, address: str) -> Source:
        """Reads `s3://bucket/prefix`.

        Raises:
            UsageFault: the address is not of that form.
        """
        parts = urlsplit(address)
        if parts.scheme != "s3" or not parts.netloc:
            raise UsageFault(f"{address!r} is not an S3 address; write s3://bucket/prefix")
        # urlsplit would take '?' and '#' for a query; in S3 they are ordinary letters of a key.
        return cls(parts.netloc, address.removeprefix(f"s3://{parts.netloc}").lstrip("/"))

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def address_of(self, key: str) -> str:
        """The `s3://` address of an object of this bucket."""
        return f"s3://{self.bucket}/{key}"


def list_images(
    client: S3Client, source: Source, suffixes: tuple[str, ...] = IMAGE_SUFFIXES
) -> Iterator[str]:
    """The keys under a prefix that end like images, in S3's own (byte) order.

    Empty objects are left out: they are how some tools draw folders.

    Raises:
        UsageFault: the bucket is not there, or these credentials may not list it.
        Unreachable: the S3 server does not answer.
    """
    try:
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=source.bucket, Prefix=source.prefix
        )
        for page in pages:
            for entry in page.get("Contents", ()):
                if entry["Size"] > 0 and entry["Key"].lower().endswith(suffixes):
                    yield entry["Key"]
    except NoCredentialsError as error:
        raise UsageFault(
            "no S3 credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            " (after the quickstart: source .facequeue/env)"
        ) from error
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        kind = Unreachable if status >= HTTPStatus.INTERNAL_SERVER_ERROR else UsageFault
        raise kind(f"S3 refuses to list {source}: {error}") from error
    except BotoCoreError as error:
        raise Unreachable(f"S3 does not answer: {error}") from error
