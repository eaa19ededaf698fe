"""What S3's refusals mean for an image: which last, and which waiting helps against."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from app.adapters.s3 import ObjectStore
from app.domain.item_errors import ItemError
from app.domain.storage import ObjectLocation

PLACE = ObjectLocation("photos", "a.jpg")

LASTING = [
    ("NoSuchKey", 404, "", "image_not_found"),
    ("NoSuchBucket", 404, "", "image_not_found"),
    ("KeyTooLongError", 400, "", "image_not_found"),
    ("InvalidBucketName", 400, "", "image_not_found"),
    ("AccessDenied", 403, "", "bucket_forbidden"),
    ("SomethingNew", 403, "", "bucket_forbidden"),
    ("InvalidObjectState", 403, "", "object_archived"),
    ("KMS.DisabledException", 400, "", "object_key_unavailable"),
    ("KMS.KMSInvalidStateException", 400, "", "object_key_unavailable"),
    ("AccessDenied", 403, "not authorized to perform: kms:Decrypt", "object_key_unavailable"),
    ("InvalidRequest", 400, "stored using a form of Server Side Encryption", "object_needs_key"),
    ("InvalidArgument", 400, "Requests specifying Server Side Encryption", "object_needs_key"),
    ("SignatureDoesNotMatch", 403, "", "storage_credentials_refused"),
    ("InvalidAccessKeyId", 403, "", "storage_credentials_refused"),
    ("ExpiredToken", 400, "", "storage_credentials_refused"),
    ("RequestTimeTooSkewed", 403, "", "storage_clock_skew"),
    ("PermanentRedirect", 301, "", "bucket_in_other_region"),
    ("AuthorizationHeaderMalformed", 400, "", "bucket_in_other_region"),
    ("SomethingNew", 400, "", "item_failed"),
]
PASSING = [
    ("SlowDown", 503),
    ("ServiceUnavailable", 503),
    ("InternalError", 500),
    ("RequestTimeout", 400),
    ("TooManyRequests", 429),
    ("KMS.ThrottlingException", 400),
    ("", 502),
]


@pytest.fixture
def client() -> Any:
    return boto3.client(
        "s3", aws_access_key_id="x", aws_secret_access_key="y", region_name="us-east-1"
    )


@pytest.fixture
def s3(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stub:
        yield stub


def reading(client: Any) -> ItemError:
    with pytest.raises(ItemError) as refused:
        ObjectStore(client, 1000).read(PLACE)
    return refused.value


@pytest.mark.parametrize(("code", "status", "message", "meaning"), LASTING)
def test_a_refusal_that_lasts_has_a_code_of_its_own(
    client: Any, s3: Stubber, code: str, status: int, message: str, meaning: str
) -> None:
    s3.add_client_error("get_object", code, message, http_status_code=status)

    error = reading(client)

    assert error.code == meaning
    assert str(PLACE) in error.message


@pytest.mark.parametrize(("code", "status"), PASSING)
def test_a_trouble_that_passes_is_told_from_one_that_lasts(
    client: Any, s3: Stubber, code: str, status: int
) -> None:
    s3.add_client_error("get_object", code, http_status_code=status)

    assert reading(client).code == "storage_unavailable"


def test_a_name_that_no_bucket_can_have_is_not_found(client: Any) -> None:
    with pytest.raises(ItemError) as refused:
        ObjectStore(client, 1000).read(ObjectLocation("no bucket!", "a.jpg"))

    assert refused.value.code == "image_not_found"
