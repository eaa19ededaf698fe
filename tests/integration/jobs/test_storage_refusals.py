"""What a real S3 server refuses for good, as the client and the operator read it."""

from __future__ import annotations

import datetime as dt

import botocore.auth
import pytest
from flask import Flask, current_app

from app import create_app
from app.adapters.s3 import ObjectStore
from app.config import Settings
from app.domain.item_errors import ItemError
from app.domain.storage import ObjectLocation
from scripts.stack import object_store
from scripts.stack.state import State
from tests.factories.tenant_world import TenantWorld

pytestmark = pytest.mark.stack

SSE_C = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"0" * 32}


def code_of(place: str, **changes: str) -> str:
    settings: Settings = current_app.config["SETTINGS"].model_copy(update=changes)
    with pytest.raises(ItemError) as refused:
        ObjectStore.from_settings(settings).read(ObjectLocation.parse(place))
    return refused.value.code


def test_an_object_that_only_its_owner_can_decrypt_is_told_as_such(
    world: TenantWorld, services: State
) -> None:
    place = ObjectLocation.parse(world.uri("secret.jpg"))
    object_store.client(services).put_object(
        Bucket=place.bucket, Key=place.key, Body=b"pixels", **SSE_C
    )

    assert code_of(str(place)) == "object_needs_key"


def test_an_empty_object_is_told_as_such(world: TenantWorld) -> None:
    assert code_of(world.put("empty.jpg", b"")) == "empty_object"


@pytest.mark.parametrize(
    "key", [{"aws_secret_access_key": "wrong"}, {"aws_access_key_id": "nobody"}]
)
def test_credentials_that_s3_refuses_are_the_operators_to_put_right(
    app: Flask, world: TenantWorld, key: dict[str, str]
) -> None:
    assert code_of(world.put("a.jpg", b"pixels"), **key) == "storage_credentials_refused"

    misled = create_app(app.config["SETTINGS"].model_copy(update=key))
    storage = misled.test_client().get("/health/ready/").get_json()["checks"]["storage"]
    assert storage["status"] == "failed"
    assert storage["detail"].startswith("storage_credentials_refused: ")


def test_a_clock_that_is_wrong_is_told_as_such(
    world: TenantWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = world.put("a.jpg", b"pixels")
    now = botocore.auth.get_current_datetime
    monkeypatch.setattr(
        botocore.auth,
        "get_current_datetime",
        lambda *args, **options: now(*args, **options) - dt.timedelta(hours=2),
    )

    assert code_of(uri) == "storage_clock_skew"


def test_a_key_that_no_object_can_have_is_not_found(world: TenantWorld) -> None:
    assert code_of(world.uri("x" * 1100)) == "image_not_found"
