"""Many uploads are deleted in one call: objects first, and never another's."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from flask import Flask

from app.adapters.s3 import ObjectStore
from app.domain.identifiers import new_id
from app.domain.item_errors import ImageNotFound
from app.domain.storage import ObjectLocation
from app.services.tenancy import delete_images
from app.services.tenancy.uploads import object_store
from tests.factories.callers import Caller
from tests.factories.images import png


class StingyStore(ObjectStore):
    """Keeps the object of one key, as S3 says it of a single one among many."""

    kept = ""

    def delete_all(self, bucket: str, keys: Any) -> dict[str, str]:
        kept = {key: "AccessDenied" for key in keys if key.endswith(self.kept)}
        return super().delete_all(bucket, [key for key in keys if key not in kept]) | kept


def uploads(caller: Caller, count: int) -> list[dict[str, Any]]:
    files = [{"file": (BytesIO(png(20, 1 + number)), "a.png")} for number in range(count)]
    return [caller.post("/images", data=data).get_json() for data in files]


def is_there(app: Flask, image: dict[str, Any]) -> bool:
    try:
        return bool(object_store(app.config["SETTINGS"]).read(ObjectLocation.parse(image["uri"])))
    except ImageNotFound:
        return False


def test_images_are_deleted_with_their_objects_and_the_others_are_named(
    app: Flask, api: Caller, stranger: Caller
) -> None:
    images, (foreign,) = uploads(api, 3), uploads(stranger, 1)
    unknown, named = str(new_id()), [image["id"] for image in images[:2]]

    answer = api.post("/images/delete", json={"ids": [*named, foreign["id"], unknown, named[0]]})

    assert answer.status_code == 200
    assert answer.get_json() == {"deleted": named, "not_found": [foreign["id"], unknown]}
    assert [is_there(app, image) for image in [*images, foreign]] == [False, False, True, True]
    events = api.get("/audit-events").get_json()["data"]
    deleted = [event["target_id"] for event in events if event["action"] == "image.deleted"]
    assert sorted(deleted) == sorted(named)


def test_deleted_again_they_are_not_found(api: Caller) -> None:
    ids = [image["id"] for image in uploads(api, 2)]
    for expected in ({"deleted": ids, "not_found": []}, {"deleted": [], "not_found": ids}):
        assert api.post("/images/delete", json={"ids": ids}).get_json() == expected


def test_what_s3_keeps_keeps_its_row_and_goes_with_the_next_call(
    app: Flask, api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = uploads(api, 2)
    ids = [image["id"] for image in images]
    real = object_store(app.config["SETTINGS"])
    stingy = StingyStore(real.client, real.max_bytes)
    monkeypatch.setattr(StingyStore, "kept", ids[0])
    with monkeypatch.context() as refusing:
        refusing.setattr(delete_images, "object_store", lambda _: stingy)
        refused = api.post("/images/delete", json={"ids": ids})

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert [is_there(app, image) for image in images] == [True, False]
    again = api.post("/images/delete", json={"ids": ids})
    assert again.get_json() == {"deleted": ids[:1], "not_found": ids[1:]}
    assert not is_there(app, images[0])


def test_without_s3_no_row_is_lost(
    app: Flask, api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [image["id"] for image in uploads(api, 2)]
    away = app.config["SETTINGS"].model_copy(update={"aws_endpoint_url_s3": "http://127.0.0.1:9"})
    with monkeypatch.context() as outage:
        outage.setitem(app.config, "SETTINGS", away)
        assert api.post("/images/delete", json={"ids": ids}).status_code == 503

    assert api.post("/images/delete", json={"ids": ids}).get_json()["deleted"] == ids


@pytest.mark.parametrize("count", [0, 1001])
def test_no_image_and_more_than_a_thousand_are_refused(api: Caller, count: int) -> None:
    answer = api.post("/images/delete", json={"ids": [str(new_id()) for _ in range(count)]})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == ["/ids"]


def test_a_thousand_are_deleted_in_one_call(api: Caller) -> None:
    (image,) = uploads(api, 1)
    ids = [image["id"], *(str(new_id()) for _ in range(999))]

    answer = api.post("/images/delete", json={"ids": ids}).get_json()

    assert (answer["deleted"], len(answer["not_found"])) == ([image["id"]], 999)
