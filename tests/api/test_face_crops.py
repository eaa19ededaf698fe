"""The picture of an enrolled face: cut out as the image is shown, for whoever may read it now."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import cv2
import numpy as np
import psutil
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.domain.names import Scope
from app.domain.storage import ObjectLocation
from app.services.gallery.crop_face import face_cropper
from app.services.tenancy.storage_places import deny_location
from app.services.tenancy.uploads import object_store
from tests.factories.callers import Caller
from tests.factories.images import halves, png
from tests.factories.portraits import Portrait

BLUE, RED = (255, 0, 0), (0, 0, 255)  # BGR


@pytest.fixture
def portrait(api: Caller) -> Portrait:
    return Portrait(api)


@pytest.fixture(autouse=True)
def _no_program_left(app: Flask) -> Iterator[None]:
    yield
    face_cropper(app.config["SETTINGS"]).close()


def programs() -> list[psutil.Process]:
    children = psutil.Process().children()
    return [each for each in children if any("crop_helper" in part for part in each.cmdline())]


def pixels(answer: TestResponse) -> np.ndarray:
    read = cv2.imdecode(np.frombuffer(answer.data, np.uint8), cv2.IMREAD_COLOR)
    assert read is not None
    return read


def code(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def test_a_face_is_cut_out_with_a_margin_of_the_image_as_it_is_shown(portrait: Portrait) -> None:
    answer = portrait.crop()

    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    found = pixels(answer)
    assert found.shape == (26, 26, 3)  # 1.6 times the box, and not enlarged
    np.testing.assert_allclose(found[13, 13], BLUE, atol=12)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_it_is_made_as_small_as_asked(api: Caller) -> None:
    large = Portrait(api, halves(400), (100, 100, 200, 200))

    found = pixels(large.crop("?size=64"))

    assert found.shape == (64, 64, 3)
    np.testing.assert_allclose(found[32, 32], RED, atol=12)
    for query in ("?size=31", "?size=513", "?size=x"):
        assert large.crop(query).status_code == 422


def test_it_carries_nothing_that_the_image_says_beside_its_pixels(portrait: Portrait) -> None:
    assert b"Exif" not in portrait.crop().data


def test_a_client_that_has_it_is_not_sent_it_again_until_the_face_is_erased(
    portrait: Portrait,
) -> None:
    first = portrait.crop()
    assert first.headers["Cache-Control"] == "private, no-cache"

    again = portrait.crop(If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")
    other = portrait.crop("?size=32", If_None_Match=first.headers["ETag"])
    assert other.status_code == 200

    portrait.caller.delete(portrait.path)
    gone = portrait.crop(If_None_Match=first.headers["ETag"])
    assert code(gone) == (404, "not_found")
    assert gone.headers["Cache-Control"] == "private, no-store"


def test_each_sight_of_a_face_is_an_audit_event(portrait: Portrait) -> None:
    portrait.crop()

    event = portrait.caller.get("/audit-events").get_json()["data"][0]
    assert (event["action"], event["target_id"]) == ("face.image_read", str(portrait.face_id))


def test_it_needs_the_right_to_read_collections(portrait: Portrait, stranger: Caller) -> None:
    assert portrait.crop(caller=portrait.caller.with_scopes(Scope.JOBS_READ)).status_code == 403
    assert portrait.crop(caller=stranger).status_code == 404


def test_an_image_that_the_tenant_may_not_read_any_more_is_not_shown(portrait: Portrait) -> None:
    place = ObjectLocation(portrait.world.bucket, str(portrait.caller.tenant_id))
    deny_location(portrait.caller.tenant_id, place)

    answer = portrait.crop()

    assert code(answer) == (409, "image_not_readable")
    assert answer.get_json()["detail"].startswith("bucket_forbidden: ")


def test_an_image_that_was_changed_since_is_not_shown(portrait: Portrait) -> None:
    portrait.world.put("portrait", halves(41))

    assert code(portrait.crop()) == (409, "image_changed")


def test_without_its_image_a_face_cannot_be_shown(app: Flask, portrait: Portrait) -> None:
    place = ObjectLocation.parse(portrait.world.uri("portrait"))
    object_store(app.config["SETTINGS"]).delete(place)

    assert code(portrait.crop()) == (404, "not_found")


def test_without_the_job_that_enrolled_it_a_face_cannot_be_shown(api: Caller) -> None:
    portrait = Portrait(api)
    api.post(f"/jobs/{portrait.job_id}/cancel")
    assert api.delete(f"/jobs/{portrait.job_id}").status_code < 300

    assert code(portrait.crop()) == (404, "not_found")


def test_while_the_bucket_is_away_the_client_is_told_to_try_again(
    app: Flask, portrait: Portrait, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = app.config["SETTINGS"].model_copy(update={"aws_endpoint_url_s3": "http://127.0.0.1:9"})
    monkeypatch.setitem(app.config, "SETTINGS", away)

    answer = portrait.crop()

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_what_no_decoder_reads_costs_that_answer_alone(api: Caller) -> None:
    damaged = Portrait(api, png(20, 10).replace(b"IDAT", b"IDAX"), (0, 0, 5, 5))

    assert code(damaged.crop()) == (409, "image_not_readable")
    assert Portrait(api).crop().status_code == 200


def test_a_program_that_died_is_replaced(portrait: Portrait) -> None:
    assert portrait.crop().status_code == 200
    (program,) = programs()
    program.kill()

    assert portrait.crop().status_code == 503
    assert portrait.crop().status_code == 200
    assert not program.is_running()


def test_a_program_that_hangs_is_ended_in_time(
    portrait: Portrait, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert portrait.crop().status_code == 200
    (program,) = programs()
    os.kill(program.pid, signal.SIGSTOP)
    monkeypatch.setattr("app.adapters.crop_program.SECONDS", 0.5)

    answer = portrait.crop()

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert not program.is_running()


def test_a_program_that_dies_takes_no_secret_along(portrait: Portrait) -> None:
    portrait.crop()
    (program,) = programs()

    assert not {"DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "SECRET_KEY"} & program.environ().keys()


def test_while_all_programs_are_busy_the_client_is_told_to_try_again(
    app: Flask, portrait: Portrait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.adapters.crop_program._PATIENCE_S", 0.1)
    cropper = face_cropper(app.config["SETTINGS"])
    busy = cropper._idle.get()
    try:
        answer = portrait.crop()
    finally:
        cropper._idle.put(busy)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
