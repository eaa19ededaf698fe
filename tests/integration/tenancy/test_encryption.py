"""What we write to S3, and what clients write in our name, is encrypted as the operator says."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from botocore.stub import Stubber
from flask import Flask

from app.adapters.s3 import ObjectStore
from app.adapters.s3_upload_signer import UploadSigner
from app.config import Settings, load_settings
from app.domain.actor import SYSTEM
from app.domain.errors import ConfigurationError
from app.domain.presigned_upload import UploadPromise
from app.domain.storage import ObjectLocation, incoming_location
from app.services.tenancy.uploads import upload_image
from scripts.stack.state import ROOT
from tests.factories.callers import Caller, make_caller
from tests.factories.images import png
from tests.factories.presigned import presign, send

pytestmark = pytest.mark.stack

KMS = {"aws_s3_server_side_encryption": "aws:kms", "aws_s3_kms_key_id": "key-1"}
ORIGIN = "https://app.example.com"


@pytest.fixture
def caller(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """A tenant of an installation whose objects are encrypted by S3."""
    encrypted = {"aws_s3_server_side_encryption": "AES256"}
    changed = app.config["SETTINGS"].model_copy(update=encrypted)
    monkeypatch.setitem(app.config, "SETTINGS", changed)
    return make_caller(app)


def encryption(settings: Settings, place: ObjectLocation) -> str | None:
    head = ObjectStore.from_settings(settings).client.head_object(
        Bucket=place.bucket, Key=place.key
    )
    found: str | None = head.get("ServerSideEncryption")
    return found


def test_an_upload_is_encrypted_by_s3(caller: Caller, settings: Settings) -> None:
    image = upload_image(caller.tenant_id, png(), SYSTEM)

    assert encryption(settings, ObjectLocation.parse(image.uri)) == "AES256"


def test_what_a_client_sends_is_encrypted_by_s3_and_cannot_be_sent_otherwise(
    caller: Caller, settings: Settings
) -> None:
    presigned = presign(caller, png())
    bare = {**presigned, "upload": {**presigned["upload"], "headers": {}}}

    assert send(bare, png(), **{"Content-Type": "image/png"}) == 403
    assert send(presigned, png()) == 200

    bucket = settings.aws_storage_bucket_name
    place = incoming_location(bucket, caller.tenant_id, UUID(presigned["id"]))
    assert encryption(settings, place) == "AES256"


def test_a_key_of_kms_is_named_in_every_write(settings: Settings) -> None:
    keyed = settings.model_copy(update=KMS)
    store = ObjectStore.from_settings(keyed)
    wanted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "key-1"}
    sent = {"Bucket": "b", "Key": "k", "Body": b"x", "ContentType": "image/png"}
    with Stubber(store.client) as s3:
        s3.add_response("put_object", {}, {**sent, "ContentDisposition": "attachment", **wanted})
        store.write(ObjectLocation("b", "k"), b"x", "image/png")
        s3.assert_no_pending_responses()

    promise = UploadPromise("image/png", 9)
    signed = UploadSigner.from_settings(keyed).sign(ObjectLocation("b", "k"), promise)
    name = "x-amz-server-side-encryption"
    assert signed.headers[f"{name}-aws-kms-key-id"] == "key-1"
    assert f"%3B{name}%3B{name}-aws-kms-key-id&" in signed.url


def test_a_key_without_the_encryption_that_it_is_for_is_refused(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    del settings  # it is in os.environ
    monkeypatch.setenv("AWS_S3_KMS_KEY_ID", "key-1")
    with pytest.raises(ConfigurationError, match="AWS_S3_SERVER_SIDE_ENCRYPTION=aws:kms"):
        load_settings()


@pytest.fixture
def bucket(settings: Settings) -> str:
    """The bucket for uploads, which has its rules for this test alone."""
    return settings.aws_storage_bucket_name


def example(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((ROOT / "deploy/s3" / name).read_text())
    return read


def test_the_example_rules_are_taken_and_let_a_browser_ask_for_what_it_sends(
    app: Flask, settings: Settings, bucket: str
) -> None:
    s3 = ObjectStore.from_settings(settings).client
    headers = presign(make_caller(app), png(), sha256="0" * 64)["upload"]["headers"]
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration=example("cors.json"))
    try:
        allowed = s3.get_bucket_cors(Bucket=bucket)["CORSRules"][0]
    finally:
        s3.delete_bucket_cors(Bucket=bucket)

    assert {name.lower() for name in headers} <= set(allowed["AllowedHeaders"])
    assert (allowed["AllowedMethods"], allowed["AllowedOrigins"]) == (["PUT"], [ORIGIN])


def test_the_example_lifecycle_is_taken_and_reaches_no_image(
    settings: Settings, bucket: str
) -> None:
    s3 = ObjectStore.from_settings(settings).client
    wanted = example("lifecycle.json")
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=wanted)
    try:
        rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    finally:
        s3.delete_bucket_lifecycle(Bucket=bucket)

    ending = [rule["Filter"]["Prefix"] for rule in rules if "Expiration" in rule]
    incoming = incoming_location(bucket, "tenant", "image").key
    assert [incoming.startswith(prefix) for prefix in ending] == [True]
    assert not any("uploads/tenant/image".startswith(prefix) for prefix in ending)
