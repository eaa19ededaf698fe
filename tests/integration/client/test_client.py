"""The client against the real API and real workers, also while they restart."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from facequeue import AuthenticatedClient, call, connect, iterate_results, upload_folder
from facequeue import submit_and_wait as submit
from facequeue.core.api.collections import create_collection
from facequeue.core.models import Collection, CollectionCreate, ItemCreate, JobCreate
from tests.support.cutting import cuts_answers

# One process, so that one API is started for all of them.
pytestmark = pytest.mark.xdist_group("client")


@pytest.fixture
def client(client_environment: dict[str, str]) -> Iterator[AuthenticatedClient]:
    url, key = client_environment["FACEQUEUE_URL"], client_environment["FACEQUEUE_API_KEY"]
    with connect(url, key) as connected:
        yield connected


@pytest.fixture
def folder(portraits: Path, tmp_path: Path) -> Path:
    """Two photographs of one person, and a file that is no image."""
    for name in ("obama.jpg", "obama2.jpg"):
        shutil.copy(portraits / name, tmp_path / name)
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    return tmp_path


def collection_of(client: AuthenticatedClient) -> Collection:
    made = create_collection.sync(client=client, body=CollectionCreate(name=f"people {uuid4()}"))
    assert isinstance(made, Collection)
    return made


def test_a_folder_is_uploaded_enrolled_and_found_again(
    client: AuthenticatedClient, folder: Path
) -> None:
    uploaded = upload_folder(client, folder)
    photo, other = (uploaded.images[folder / name] for name in ("obama.jpg", "obama2.jpg"))
    collection = collection_of(client)
    enrolled = [ItemCreate(custom_id="portrait", image_id=photo, subject="ada")]
    submit(
        client,
        JobCreate(operation="enrol", collection_id=collection.id, items=enrolled),
        timeout=60,
    )
    asked = [ItemCreate(custom_id="visitor", image_id=other)]
    job = submit(
        client,
        JobCreate(operation="identify", collection_id=collection.id, items=asked),
        timeout=60,
    )

    (result,) = iterate_results(client, job.id)
    (face,) = result.faces
    assert isinstance(face.matches, list)
    assert (face.decision, face.matches[0].subject) == ("match", "ada")
    assert uploaded.failed[folder / "broken.jpg"].status == 422


def test_a_second_upload_of_a_folder_asks_only_for_what_failed(
    client: AuthenticatedClient, folder: Path
) -> None:
    first, second = upload_folder(client, folder), upload_folder(client, folder)

    assert first.images == second.images


def test_an_answer_that_is_cut_makes_no_second_job_and_loses_no_result(
    client_environment: dict[str, str], folder: Path
) -> None:
    """Each connection breaks off, now before the answer and now within it."""
    key = client_environment["FACEQUEUE_API_KEY"]
    with (
        cuts_answers(client_environment["FACEQUEUE_URL"]) as url,
        connect(url, key) as client,
    ):
        image = next(iter(upload_folder(client, folder).images.values()))
        batch = uuid4().hex
        items = [{"custom_id": str(n), "image_id": str(image)} for n in range(20)]
        request = {"operation": "detect", "items": items, "metadata": {"batch": batch}}
        job = submit(client, request, timeout=100)
        names = [item.custom_id for item in iterate_results(client, job.id)]
        jobs = call(client, "GET", "/jobs", params={"limit": 50}).json()["data"]

    assert names == [str(n) for n in range(20)]
    assert [each["id"] for each in jobs if each["metadata"].get("batch") == batch] == [str(job.id)]
