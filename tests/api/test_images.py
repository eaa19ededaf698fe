from __future__ import annotations

import hashlib
from io import BytesIO

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.domain.item_errors import ImageNotFound
from app.domain.storage import ObjectLocation
from app.services.tenancy.uploads import object_store
from tests.factories.callers import Caller
from tests.factories.images import png


def _upload(api: Caller, content: bytes, part: str = "file") -> TestResponse:
    return api.post("/images", data={part: (BytesIO(content), "../../evil.png")})


def test_an_upload_is_kept_under_a_key_that_the_server_makes(app: Flask, api: Caller) -> None:
    content = png(20, 10)
    response = _upload(api, content)
    assert response.status_code == 201
    image = response.get_json()
    assert (image["width"], image["height"]) == (20, 10)
    assert image["content_type"] == "image/png"
    assert image["sha256"] == hashlib.sha256(content).hexdigest()
    bucket = app.config["SETTINGS"].aws_storage_bucket_name
    assert image["uri"] == f"s3://{bucket}/uploads/{api.tenant_id}/{image['id']}"
    store = object_store(app.config["SETTINGS"])
    assert store.read(ObjectLocation.parse(image["uri"])) == content


def test_an_upload_can_be_used_in_a_job(api: Caller) -> None:
    image = _upload(api, png()).get_json()
    items = [
        {"custom_id": "by-id", "image_id": image["id"]},
        {"custom_id": "by-uri", "image": image["uri"]},
    ]
    assert api.post("/jobs", json={"operation": "detect", "items": items}).status_code == 202


def test_anothers_upload_cannot_be_used_in_a_job(api: Caller, stranger: Caller) -> None:
    image = _upload(api, png()).get_json()
    for source, code in (
        ({"image_id": image["id"]}, "image_not_found"),
        ({"image": image["uri"]}, "bucket_forbidden"),
    ):
        body = {"operation": "detect", "items": [{"custom_id": "a", **source}]}
        job = stranger.post("/jobs", json=body).get_json()
        assert (job["state"], job["errors_by_code"]) == ("succeeded", {code: 1})


@pytest.mark.parametrize("content_type", ["application/json", "image/png", None])
def test_an_upload_that_is_no_form_is_refused_as_such(
    api: Caller, content_type: str | None
) -> None:
    response = api.post("/images", data=png(), content_type=content_type)
    assert (response.status_code, response.get_json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_an_image"),
        (b"hello", "not_an_image"),
        (b"8BPS" + b"\0" * 20, "unsupported_image"),
        (png()[:20], "image_corrupt"),
        (png(1, 1)[:16] + b"\x00\x00\x40\x00\x00\x00\x40\x00" + png(1, 1)[24:], "too_many_pixels"),
    ],
)
def test_what_is_not_an_image_is_rejected_with_its_item_code(
    api: Caller, content: bytes, code: str
) -> None:
    response = _upload(api, content)
    assert response.status_code == 422
    assert response.get_json()["code"] == "image_rejected"
    assert response.get_json()["errors"][0]["detail"].startswith(f"{code}: ")


def test_an_image_above_the_limit_is_refused(app: Flask, api: Caller) -> None:
    limit = app.config["SETTINGS"].max_upload_size
    assert _upload(api, b"\0" * (limit + 1)).status_code == 413
    assert _upload(api, b"\0" * (limit + 1_000_000)).status_code == 413


def test_an_image_may_have_as_many_pixels_as_the_operator_says(
    app: Flask, api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = app.config["SETTINGS"].model_copy(update={"max_image_pixels": 200})
    monkeypatch.setitem(app.config, "SETTINGS", few)

    assert _upload(api, png(20, 10)).status_code == 201
    refused = _upload(api, png(201, 1)).get_json()
    assert refused["errors"][0]["detail"].startswith("too_many_pixels: ")


def test_the_part_must_be_called_file(api: Caller) -> None:
    response = _upload(api, png(), part="photo")
    assert response.status_code == 422
    assert {e["pointer"] for e in response.get_json()["errors"]} == {"/file", "/photo"}


def test_a_deleted_upload_is_gone_with_its_object(app: Flask, api: Caller) -> None:
    image = _upload(api, png()).get_json()
    assert api.delete(f"/images/{image['id']}").status_code == 204
    with pytest.raises(ImageNotFound):  # as an item of an open job then fails
        object_store(app.config["SETTINGS"]).read(ObjectLocation.parse(image["uri"]))
    assert api.delete(f"/images/{image['id']}").status_code == 404
    items = [{"custom_id": "a", "image_id": image["id"]}]
    job = api.post("/jobs", json={"operation": "detect", "items": items}).get_json()
    assert job["errors_by_code"] == {"image_not_found": 1}


def test_anothers_upload_cannot_be_deleted(app: Flask, api: Caller, stranger: Caller) -> None:
    content = png()
    image = _upload(api, content).get_json()
    assert stranger.delete(f"/images/{image['id']}").status_code == 404
    store = object_store(app.config["SETTINGS"])
    assert store.read(ObjectLocation.parse(image["uri"])) == content


def test_deleting_an_upload_is_an_audit_event(api: Caller) -> None:
    image = _upload(api, png()).get_json()
    api.delete(f"/images/{image['id']}")
    event = api.get("/audit-events").get_json()["data"][0]
    assert (event["action"], event["target_id"]) == ("image.deleted", image["id"])


def test_an_upload_that_s3_does_not_let_go_keeps_its_row(
    app: Flask, api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = _upload(api, png()).get_json()
    away = app.config["SETTINGS"].model_copy(update={"aws_endpoint_url_s3": "http://127.0.0.1:9"})
    with monkeypatch.context() as outage:
        outage.setitem(app.config, "SETTINGS", away)
        response = api.delete(f"/images/{image['id']}")
        assert (response.status_code, response.get_json()["code"]) == (503, "unavailable")
    assert api.delete(f"/images/{image['id']}").status_code == 204
