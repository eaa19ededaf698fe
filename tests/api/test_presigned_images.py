"""Images that clients send to S3 themselves: what S3 takes, and what becomes an image."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.domain.item_errors import ImageNotFound
from app.domain.storage import ObjectLocation, incoming_location
from app.services.tenancy.uploads import object_store
from tests.factories.callers import Caller
from tests.factories.images import png
from tests.factories.presigned import presign, send
from tests.factories.tenant_world import TenantWorld

PAGE = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


def complete(caller: Caller, presigned: dict[str, Any]) -> TestResponse:
    return caller.post(f"/images/{presigned['id']}/complete")


def errors_of(caller: Caller, presigned: dict[str, Any]) -> dict[str, int]:
    """The faults of a job over this image."""
    items = [{"custom_id": "a", "image_id": presigned["id"]}]
    job = caller.post("/jobs", json={"operation": "detect", "items": items})
    assert job.status_code == 202
    errors: dict[str, int] = job.get_json()["errors_by_code"]
    return errors


def incoming(app: Flask, caller: Caller, presigned: dict[str, Any]) -> ObjectLocation:
    bucket = app.config["SETTINGS"].aws_storage_bucket_name
    return incoming_location(bucket, caller.tenant_id, presigned["id"])


def test_an_image_that_the_client_sent_to_s3_is_an_image_once_completed(
    app: Flask, api: Caller
) -> None:
    content = png(20, 10)
    presigned = presign(api, content, sha256=hashlib.sha256(content).hexdigest())
    assert send(presigned, content) == 200
    assert errors_of(api, presigned) == {"image_not_completed": 1}

    completed = complete(api, presigned)

    image = completed.get_json()
    assert (completed.status_code, image["id"]) == (200, presigned["id"])
    assert (image["width"], image["height"], image["content_type"]) == (20, 10, "image/png")
    assert image["sha256"] == hashlib.sha256(content).hexdigest()
    store = object_store(app.config["SETTINGS"])
    assert store.read(ObjectLocation.parse(image["uri"])) == content
    assert errors_of(api, presigned) == {}
    with pytest.raises(ImageNotFound):
        store.read(incoming(app, api, presigned))


def test_an_image_that_is_not_sent_cannot_be_completed(api: Caller) -> None:
    presigned = presign(api, png())

    answer = complete(api, presigned)

    assert (answer.status_code, answer.get_json()["code"]) == (409, "image_not_uploaded")
    assert errors_of(api, presigned) == {"image_not_completed": 1}


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (png() + b"\0", {}),
        (png()[:-1], {}),
        (png(), {"Content-Type": "text/html"}),
        (png(), {"Content-Type": "image/svg+xml"}),
    ],
    ids=["longer", "shorter", "as html", "as svg"],
)
def test_s3_takes_neither_another_size_nor_another_type(
    app: Flask, api: Caller, content: bytes, headers: dict[str, str]
) -> None:
    presigned = presign(api, png())

    assert send(presigned, content, **headers) == 403

    with pytest.raises(ImageNotFound):
        object_store(app.config["SETTINGS"]).read(incoming(app, api, presigned))


def test_s3_takes_no_other_bytes_than_those_of_a_digest_that_was_told(api: Caller) -> None:
    presigned = presign(api, png(20, 10), sha256=hashlib.sha256(png(20, 10)).hexdigest())

    assert send(presigned, bytes(len(png(20, 10)))) == 400


@pytest.mark.parametrize("content_type", ["image/svg+xml", "text/html", "application/pdf", ""])
def test_nothing_is_presigned_that_a_browser_would_run(api: Caller, content_type: str) -> None:
    answer = api.post("/images/presign", json={"content_type": content_type, "bytes": 9})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == ["/content_type"]


def test_what_calls_itself_an_image_and_is_none_is_rejected(api: Caller) -> None:
    presigned = presign(api, PAGE)
    assert send(presigned, PAGE) == 200

    answer = complete(api, presigned)

    assert (answer.status_code, answer.get_json()["code"]) == (422, "image_rejected")
    assert answer.get_json()["errors"][0]["detail"].startswith("unsupported_image: SVG")
    assert errors_of(api, presigned) == {"image_not_completed": 1}


def test_an_image_of_another_format_than_promised_is_rejected(api: Caller) -> None:
    presigned = presign(api, png(), content_type="image/jpeg")
    assert send(presigned, png()) == 200

    answer = complete(api, presigned)

    assert answer.get_json()["code"] == "image_rejected"
    assert answer.get_json()["errors"][0]["pointer"] == "/content_type"


def test_an_object_that_is_not_the_promised_one_however_it_came_there_is_rejected(
    app: Flask, api: Caller
) -> None:
    presigned = presign(api, png(20, 10))
    store = object_store(app.config["SETTINGS"])
    store.write(incoming(app, api, presigned), png(200, 100), "image/png")

    answer = complete(api, presigned)

    assert answer.get_json()["code"] == "image_rejected"
    assert answer.get_json()["errors"][0]["pointer"] == "/bytes"


def test_what_is_sent_after_completion_changes_nothing(app: Flask, api: Caller) -> None:
    content, other = png(20, 10), png(10, 20)
    presigned = presign(api, content)
    send(presigned, content)
    first = complete(api, presigned).get_json()

    assert len(other) == len(content)
    assert send(presigned, other) == 200  # the URL lives on, and leads elsewhere
    again = complete(api, presigned)

    assert (again.status_code, again.get_json()) == (200, first)
    store = object_store(app.config["SETTINGS"])
    assert store.read(ObjectLocation.parse(first["uri"])) == content


def test_a_deleted_image_does_not_come_back(api: Caller) -> None:
    presigned = presign(api, png())
    send(presigned, png())
    complete(api, presigned)
    assert api.delete(f"/images/{presigned['id']}").status_code == 204

    send(presigned, png())

    assert complete(api, presigned).status_code == 404
    assert errors_of(api, presigned) == {"image_not_found": 1}


def test_another_tenant_neither_completes_nor_uses_nor_reads_it(
    app: Flask, api: Caller, stranger: Caller
) -> None:
    presigned = presign(api, png())
    send(presigned, png())

    assert complete(stranger, presigned).status_code == 404
    assert errors_of(stranger, presigned) == {"image_not_found": 1}
    uri = str(incoming(app, api, presigned))
    for caller in (stranger, api):
        body = {"operation": "detect", "items": [{"custom_id": "a", "image": uri}]}
        assert caller.post("/jobs", json=body).get_json()["errors_by_code"] == {
            "bucket_forbidden": 1
        }


def test_more_bytes_than_an_image_may_have_are_not_presigned(app: Flask, api: Caller) -> None:
    most = app.config["SETTINGS"].max_upload_size

    assert presign(api, b"", bytes=most)
    answer = api.post("/images/presign", json={"content_type": "image/png", "bytes": most + 1})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == ["/bytes"]


def test_a_url_is_signed_for_the_address_that_clients_reach(
    app: Flask, api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = {
        "aws_s3_public_endpoint_url": "https://s3.example.com",
        "presigned_upload_seconds": 90,
    }
    monkeypatch.setitem(app.config, "SETTINGS", app.config["SETTINGS"].model_copy(update=public))

    url = presign(api, png())["upload"]["url"]

    assert url.startswith("https://s3.example.com/")
    assert "X-Amz-Expires=90&" in url


def test_no_log_and_no_record_holds_what_signs_a_url(
    api: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        body = {"content_type": "image/png", "bytes": len(png())}
        key = {"Idempotency-Key": "presign-1"}
        presigned = api.post("/images/presign", json=body, headers=key).get_json()
        send(presigned, png())
        complete(api, presigned)

    signature = presigned["upload"]["url"].rpartition("X-Amz-Signature=")[2]
    assert len(signature) == 64
    assert signature not in caplog.text
    world = TenantWorld(api.tenant_id)
    assert signature not in str(world.query("SELECT detail FROM audit_events"))
    (kept,) = world.query("SELECT body FROM idempotency_keys")
    assert signature.encode() not in bytes(kept.body)


def test_its_audit_trail_tells_who_was_let_and_what_came(api: Caller) -> None:
    presigned = presign(api, png())
    send(presigned, png())
    for _ in range(2):
        complete(api, presigned)

    events = api.get("/audit-events").get_json()["data"]

    found = [event["action"] for event in events if event["target_id"] == presigned["id"]]
    assert sorted(found) == ["image.presigned", "image.uploaded"]
