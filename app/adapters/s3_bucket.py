"""The bucket of uploads itself."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from app.adapters.s3 import ObjectStore
from app.domain.item_errors import StorageUnavailable
from app.domain.request_errors import StorageRefused

_HERE_ALREADY = ("BucketAlreadyOwnedByYou", "BucketAlreadyExists")
# S3's first region, which must not be named where a bucket is made in it.
_UNNAMED_REGION = "us-east-1"


def make_bucket(store: ObjectStore, name: str, region: str) -> None:
    """Make a bucket; one that somebody else made meanwhile is fine.

    Raises:
        StorageRefused: S3 answered that it does not make it.
        StorageUnavailable: S3 did not answer after retries.
    """
    place: dict[str, Any] = {}
    if region != _UNNAMED_REGION:
        place["CreateBucketConfiguration"] = {"LocationConstraint": region}
    try:
        store.client.create_bucket(Bucket=name, **place)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in _HERE_ALREADY:
            raise StorageRefused(f"S3 does not make the bucket {name}: {error}") from error
    except (BotoCoreError, OSError) as error:
        raise StorageUnavailable(f"S3 did not make the bucket {name}: {error}") from error
