from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)

from scripts.importing.failures import Unreachable, UsageFault
from scripts.importing.storage import Bucket, S3Object
from tests.factories.s3_listing import FakeS3


def listing(*keys: str, error: Exception | None = None) -> list[S3Object]:
    return list(Bucket("photos", FakeS3(*keys, error=error)).objects("staff/"))


def test_all_pages_are_listed_in_order() -> None:
    keys = ["staff/a", "staff/b", "staff/c"]

    assert [found.key for found in listing(*keys)] == keys


def test_an_objects_version_is_its_content_its_size_and_its_time() -> None:
    assert listing("staff/a") == [S3Object("staff/a", 9, "d41d 9 2026-01-01T00:00:00+00:00")]


def test_a_refusal_by_s3_is_a_usage_fault() -> None:
    refusal = ClientError({"Error": {"Code": "NoSuchBucket", "Message": "none"}}, "ListObjectsV2")

    with pytest.raises(UsageFault, match="NoSuchBucket"):
        listing(error=refusal)


def test_a_server_in_trouble_is_unreachable_and_to_be_asked_again() -> None:
    answer = {"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503}}

    with pytest.raises(Unreachable, match="SlowDown"):
        listing(error=ClientError(answer, "ListObjectsV2"))


def test_missing_credentials_are_a_usage_fault_that_names_the_variables() -> None:
    with pytest.raises(UsageFault, match="AWS_ACCESS_KEY_ID"):
        listing(error=NoCredentialsError())


def test_a_silent_server_is_unreachable() -> None:
    silence = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1"):
        listing(error=silence)


def test_a_bucket_name_that_is_none_is_a_usage_fault() -> None:
    with pytest.raises(UsageFault, match="Invalid bucket name"):
        listing(error=ParamValidationError(report='Invalid bucket name "a b"'))


def test_an_endpoint_that_is_no_url_is_a_usage_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "nonsense")

    with pytest.raises(UsageFault, match="nonsense"):
        Bucket("photos")
