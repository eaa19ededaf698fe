from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from scripts.importing.failures import Unreachable, UsageFault
from scripts.importing.source import Source, list_images


class FakeS3:
    def __init__(self, *pages: list[tuple[str, int]], error: Exception | None = None) -> None:
        self._pages = pages
        self._error = error

    def get_paginator(self, operation_name: str) -> FakeS3:
        assert operation_name == "list_objects_v2"
        return self

    def paginate(self, **kwargs: str) -> Iterator[dict[str, Any]]:
        assert kwargs == {"Bucket": "photos", "Prefix": "staff/"}
        if self._error:
            raise self._error
        for page in self._pages:
            yield {"Contents": [{"Key": key, "Size": size} for key, size in page]} if page else {}


STAFF = Source("photos", "staff/")


@pytest.mark.parametrize(
    ("address", "bucket", "prefix"),
    [
        ("s3://photos/staff/", "photos", "staff/"),
        ("s3://photos", "photos", ""),
        ("s3://photos/", "photos", ""),
        ("s3://photos/a?b#c", "photos", "a?b#c"),
    ],
)
def test_an_address_is_a_bucket_and_a_prefix(address: str, bucket: str, prefix: str) -> None:
    assert Source.parse(address) == Source(bucket, prefix)


@pytest.mark.parametrize("address", ["photos/staff", "https://photos/staff", "s3:///staff", ""])
def test_another_kind_of_address_is_a_usage_fault(address: str) -> None:
    with pytest.raises(UsageFault, match="s3://bucket/prefix"):
        Source.parse(address)


def test_all_pages_are_listed_in_order() -> None:
    pages = FakeS3([("staff/a.jpg", 1)], [], [("staff/b.PNG", 1), ("staff/c.webp", 1)])

    assert list(list_images(pages, STAFF)) == ["staff/a.jpg", "staff/b.PNG", "staff/c.webp"]


def test_other_files_and_empty_objects_are_left_out() -> None:
    pages = FakeS3([("staff/", 0), ("staff/a.jpg", 0), ("staff/notes.txt", 9), ("staff/b.jpg", 9)])

    assert list(list_images(pages, STAFF)) == ["staff/b.jpg"]


def test_a_refusal_by_s3_is_a_usage_fault() -> None:
    refusal = ClientError({"Error": {"Code": "NoSuchBucket", "Message": "none"}}, "ListObjectsV2")

    with pytest.raises(UsageFault, match="NoSuchBucket"):
        list(list_images(FakeS3(error=refusal), STAFF))


def test_a_server_in_trouble_is_unreachable_and_to_be_asked_again() -> None:
    answer = {"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503}}

    with pytest.raises(Unreachable, match="SlowDown"):
        list(list_images(FakeS3(error=ClientError(answer, "ListObjectsV2")), STAFF))


def test_missing_credentials_are_a_usage_fault_that_names_the_variables() -> None:
    with pytest.raises(UsageFault, match="AWS_ACCESS_KEY_ID"):
        list(list_images(FakeS3(error=NoCredentialsError()), STAFF))


def test_a_silent_server_is_unreachable() -> None:
    silence = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1"):
        list(list_images(FakeS3(error=silence), STAFF))
