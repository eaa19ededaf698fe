from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from facequeue import Unauthenticated, connect, upload_folder
from facequeue.uploads import LEDGER_NAME


class Uploads(httpx.MockTransport):
    """The part of the API that takes uploads; a content of `no image` is none."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.tenant_id = str(uuid4())
        self.taken: list[tuple[str, bytes]] = []
        self.refuses_keys = False

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/me"):
            return httpx.Response(200, json={"tenant_id": self.tenant_id})
        if request.url.path.endswith("/limits"):
            return httpx.Response(200, json={"retention_days_images": 10})
        if self.refuses_keys:
            return httpx.Response(401, json={"code": "unauthenticated"})
        body = request.read()
        if b"no image" in body:
            return httpx.Response(422, json={"code": "image_invalid"})
        self.taken.append((request.headers["Idempotency-Key"], body))
        return httpx.Response(201, json={"id": str(uuid4())})


@pytest.fixture
def service() -> Uploads:
    return Uploads()


@pytest.fixture
def upload(service: Uploads, tmp_path: Path) -> Callable[..., Any]:
    client = connect("http://faces", "k", transport=service)
    return lambda **options: upload_folder(client, tmp_path, **options)


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    (tmp_path / "grace").mkdir()
    paths = [tmp_path / "one.jpg", tmp_path / "grace/two.PNG"]
    for number, path in enumerate(paths):
        path.write_bytes(b"photo %d" % number)
    (tmp_path / "notes.txt").write_text("not an image")
    return paths


def test_every_image_below_the_folder_is_uploaded(
    upload: Any, service: Uploads, photos: list[Path]
) -> None:
    outcome = upload()

    assert set(outcome.images) == set(photos)
    assert all(isinstance(image_id, UUID) for image_id in outcome.images.values())
    assert len(service.taken) == 2


@pytest.mark.usefixtures("photos")
def test_the_names_of_files_stay_here(upload: Any, service: Uploads) -> None:
    upload()

    assert not any(b"one.jpg" in body or b"grace" in body for _, body in service.taken)


def test_the_progress_is_told_after_each_file(upload: Any, photos: list[Path]) -> None:
    told: list[tuple[int, int, Path]] = []
    upload(progress=lambda *step: told.append(step))

    assert [step[:2] for step in told] == [(1, 2), (2, 2)]
    assert {step[2] for step in told} == set(photos)


@pytest.mark.usefixtures("photos")
def test_a_second_run_uploads_nothing_and_gives_the_same_ids(upload: Any, service: Uploads) -> None:
    first, second = upload(), upload()

    assert second.images == first.images
    assert len(service.taken) == 2


def test_a_file_that_changed_is_uploaded_again(
    upload: Any, service: Uploads, photos: list[Path]
) -> None:
    upload()
    photos[0].write_bytes(b"photo, taken anew")
    upload()

    assert len(service.taken) == 3


@pytest.mark.usefixtures("photos")
def test_the_same_content_has_the_same_key_in_every_run_until_the_ledger_is_deleted(
    upload: Any, service: Uploads, tmp_path: Path
) -> None:
    def keys() -> set[str]:
        upload()
        return {key for key, _ in service.taken}

    ledger = tmp_path / LEDGER_NAME
    first = keys()
    run = ledger.read_text().splitlines()[0]
    ledger.write_text(run + "\n" + '{"sha256": "cut o')  # a crash before the first answer came
    assert keys() == first
    ledger.unlink()
    assert len(keys()) == 4


@pytest.mark.usefixtures("photos")
def test_a_crash_costs_the_line_that_it_cut_and_no_other(
    upload: Any, service: Uploads, tmp_path: Path
) -> None:
    upload()
    ledger = tmp_path / LEDGER_NAME
    ledger.write_text(ledger.read_text()[:-20])
    upload()
    upload()

    assert len(service.taken) == 3


@pytest.mark.usefixtures("photos")
def test_an_upload_that_will_soon_be_removed_is_made_anew(
    upload: Any, service: Uploads, tmp_path: Path
) -> None:
    upload()
    ledger = tmp_path / LEDGER_NAME
    long_ago = (dt.datetime.now(dt.UTC) - dt.timedelta(days=9, hours=1)).isoformat()
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    ledger.write_text("".join(json.dumps({**line, "at": long_ago}) + "\n" for line in lines))
    upload()

    assert len(service.taken) == 4


@pytest.mark.usefixtures("photos")
def test_another_tenants_uploads_are_not_ours(upload: Any, service: Uploads) -> None:
    upload()
    service.tenant_id = str(uuid4())
    upload()

    assert len(service.taken) == 4


def test_a_file_that_is_refused_does_not_hold_up_the_others(
    upload: Any, photos: list[Path]
) -> None:
    photos[0].write_bytes(b"no image")
    outcome = upload()

    assert set(outcome.images) == {photos[1]}
    assert outcome.failed[photos[0]].code == "image_invalid"


@pytest.mark.usefixtures("photos")
def test_a_key_that_is_refused_ends_it(upload: Any, service: Uploads) -> None:
    service.refuses_keys = True

    with pytest.raises(Unauthenticated):
        upload()


@pytest.mark.usefixtures("photos")
def test_the_ledger_speaks_of_digests_and_not_of_names(upload: Any, tmp_path: Path) -> None:
    upload()
    text = (tmp_path / LEDGER_NAME).read_text()

    assert hashlib.sha256(b"photo 0").hexdigest() in text
    assert "one.jpg" not in text
