from __future__ import annotations

import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from scripts.stack.state import ROOT
from tests.support.processes import wait_until

# One process, so that one API is started for all of them.
pytestmark = pytest.mark.xdist_group("importing")

Importer = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def prefix(
    client_environment: dict[str, str], portraits: Path, request: pytest.FixtureRequest
) -> str:
    """An S3 prefix of this test with five good images and a broken one."""
    bucket, folder = client_environment["AWS_STORAGE_BUCKET_NAME"], request.node.name
    s3 = boto3.client("s3")
    for number in range(5):
        s3.upload_file(portraits / "obama.jpg", bucket, f"{folder}/{number}.jpg")
    s3.put_object(Bucket=bucket, Key=f"{folder}/broken.jpg", Body=b"no image")
    return f"s3://{bucket}/{folder}/"


@pytest.fixture
def start(client_environment: dict[str, str], tmp_path: Path) -> Importer:
    """Starts the importer as a person would, in a folder of this test."""

    def started(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, ROOT / "scripts/import_s3.py", *arguments],
            cwd=tmp_path,
            env=client_environment,
            stderr=subprocess.PIPE,
            text=True,
        )

    return started


def ended(importer: subprocess.Popen[str]) -> tuple[int, str]:
    said = importer.communicate(timeout=120)[1]
    return importer.returncode, said


def results(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_import_has_one_result_an_image_and_says_what_failed(
    start: Importer, prefix: str, tmp_path: Path
) -> None:
    code, said = ended(
        start(prefix, "--operation", "detect", "--chunk", "4", "--results", "out.jsonl")
    )

    assert code == 1
    assert "5 of 6 images succeeded" in said
    assert "1 failed: not_an_image" in said
    assert len({line["image"] for line in results(tmp_path / "out.jsonl")}) == 6


def test_a_second_run_submits_nothing(start: Importer, prefix: str, tmp_path: Path) -> None:
    arguments = (prefix, "--operation", "detect", "--results", "out.jsonl")
    ended(start(*arguments))
    before = results(tmp_path / "out.jsonl")

    code, said = ended(start(*arguments))

    assert (code, "0 to submit" in said) == (1, True)
    assert results(tmp_path / "out.jsonl") == before


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_an_import_that_was_stopped_goes_on_in_the_jobs_it_had(
    start: Importer, prefix: str, tmp_path: Path, end: signal.Signals
) -> None:
    arguments = (prefix, "--operation", "detect", "--chunk", "2", "--results", "out.jsonl")
    state = tmp_path / "out.jsonl.state"
    first = start(*arguments)
    wait_until(lambda: state.exists() and '"submitted"' in state.read_text())
    first.send_signal(end)
    ended(first)

    code, said = ended(start(*arguments))

    assert code == 1, said  # the broken image
    noted = results(state)
    in_jobs = {line["submitted"] for line in noted if "submitted" in line}
    submitted = [
        key for line in noted if line.get("planned") in in_jobs for key in line.get("keys", ())
    ]
    assert len(submitted) == len(set(submitted)) == 6
    assert len(results(tmp_path / "out.jsonl")) == 6


@pytest.fixture
def foreign_bucket(client_environment: dict[str, str]) -> Iterator[str]:
    """A bucket that the service can read, but that nobody registered for this tenant."""
    del client_environment  # it holds the stack's S3 settings in place
    s3, bucket = boto3.client("s3"), f"foreign-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a.jpg", Body=b"x")
    yield bucket
    s3.delete_object(Bucket=bucket, Key="a.jpg")
    s3.delete_bucket(Bucket=bucket)


def test_images_of_a_place_that_is_not_registered_fail_with_its_code(
    start: Importer, foreign_bucket: str
) -> None:
    code, said = ended(start(f"s3://{foreign_bucket}", "--operation", "detect"))

    assert code == 1
    assert "bucket_forbidden" in said


def test_a_wrong_key_is_told_before_anything_is_listed(start: Importer) -> None:
    code, said = ended(start("s3://no-such-bucket", "--operation", "detect", "--api-key", "wrong"))

    assert code == 2
    assert "unauthenticated" in said


def test_a_collection_is_made_when_asked_for(
    start: Importer, client_environment: dict[str, str], portraits: Path, tmp_path: Path
) -> None:
    bucket = client_environment["AWS_STORAGE_BUCKET_NAME"]
    boto3.client("s3").upload_file(portraits / "biden.jpg", bucket, "people/joe/1.jpg")
    place = f"s3://{bucket}/people/"

    enrolled = ended(start(place, "--operation", "enrol", "--collection", "new"))
    assert (enrolled[0], "--create-collection" in enrolled[1]) == (2, True)

    for operation in ("enrol", "identify", "verify"):
        code, said = ended(
            start(place, "--operation", operation, "--collection", "new", "--create-collection")
        )
        assert code == 0, said
    (identified,) = results(tmp_path / f"identify-{bucket}-people.jsonl")
    (verified,) = results(tmp_path / f"verify-{bucket}-people.jsonl")
    assert identified["faces"][0]["matches"][0]["subject"] == "joe"
    assert verified["decision"] == "match"


@pytest.fixture
def put(
    client_environment: dict[str, str], portraits: Path, request: pytest.FixtureRequest
) -> Callable[..., str]:
    """Puts portraits at keys below a folder of this test; the folder's address."""
    bucket = client_environment["AWS_STORAGE_BUCKET_NAME"]
    folder = f"{request.node.name}-{uuid.uuid4().hex[:8]}"

    def put_all(**portrait_of_key: str) -> str:
        s3 = boto3.client("s3")
        for key, name in portrait_of_key.items():
            s3.upload_file(portraits / f"{name}.jpg", bucket, f"{folder}/{key}")
        return f"s3://{bucket}/{folder}"

    return put_all


def test_an_image_that_cannot_be_submitted_fails_alone(
    start: Importer, put: Callable[..., str], tmp_path: Path
) -> None:
    long = "x" * 201
    place = put(**{"ada/1.jpg": "obama", f"{long}/1.jpg": "biden"})
    arguments = (place, "--operation", "enrol", "--collection", long[:20], "--create-collection")
    for _ in range(2):
        code, said = ended(start(*arguments, "--results", "out.jsonl"))

        assert code == 1, said
        assert "1 of 2 images succeeded" in said
        assert f"{long}/1.jpg" in said
    states = {line["custom_id"][-9:]: line["state"] for line in results(tmp_path / "out.jsonl")}
    assert states == {"ada/1.jpg": "succeeded", "xxx/1.jpg": "failed"}


def test_a_prefix_is_a_folder_unless_it_is_to_be_taken_as_it_is(
    start: Importer, put: Callable[..., str], tmp_path: Path
) -> None:
    place = put(**{"staff/a.jpg": "obama", "staff-former/b+%20 é.jpg": "biden"})
    code, said = ended(start(f"{place}/staff", "--operation", "detect", "--results", "one.jsonl"))
    assert code == 0, said
    assert "staff-former/ begin like it" in said
    assert len(results(tmp_path / "one.jsonl")) == 1

    code, said = ended(
        start(f"{place}/staff", "--operation", "detect", "--prefix-as-is", "--results", "two.jsonl")
    )
    assert code == 0, said
    assert len(results(tmp_path / "two.jsonl")) == 2


def test_all_that_a_prefix_holds_is_accounted_for(start: Importer, put: Callable[..., str]) -> None:
    place = put(**{"1.jpg": "obama", "2.jxl": "obama", "3": "obama", "notes.txt": "obama"})
    arguments = (f"{place}/", "--operation", "detect")
    code, said = ended(start(*arguments, "--results", "some.jsonl"))
    assert code == 1
    assert "1 of 3 images succeeded" in said
    assert "2 passed over: 1 .jxl, 1 without a suffix" in said
    assert "1 other objects passed over: 1 .txt" in said

    code, said = ended(start(*arguments, "--all", "--results", "all.jsonl"))
    assert code == 0, said
    assert "4 of 4 images succeeded" in said


def test_an_object_that_was_written_anew_is_looked_at_again(
    start: Importer, put: Callable[..., str], tmp_path: Path
) -> None:
    arguments = ("--operation", "detect", "--results", "out.jsonl")
    ended(start(put(**{"1.jpg": "obama"}), *arguments))
    code, said = ended(start(put(**{"1.jpg": "biden"}), *arguments))

    assert code == 0, said
    assert "1 to submit (1 changed since their result)" in said
    first, second = results(tmp_path / "out.jsonl")
    assert first["faces"] != second["faces"]


@pytest.fixture
def enrol(start: Importer, put: Callable[..., str]) -> Callable[..., tuple[int, str]]:
    """Puts what is given, takes away what is gone, and enrols the folder into a collection."""
    name = f"people {uuid.uuid4()}"

    def run(*more: str, gone: str = "", **portrait_of_key: str) -> tuple[int, str]:
        place = put(**portrait_of_key)
        bucket, _, folder = place.removeprefix("s3://").partition("/")
        if gone:
            boto3.client("s3").delete_object(Bucket=bucket, Key=f"{folder}/{gone}")
        arguments = ("--operation", "enrol", "--collection", name, "--create-collection")
        return ended(start(place, *arguments, "--results", "out.jsonl", *more))

    return run


def test_a_photograph_that_another_person_keeps_is_no_success(
    enrol: Callable[..., tuple[int, str]],
) -> None:
    enrol(**{"bob/1.jpg": "obama"})
    code, said = enrol("--on-conflict", "keep", **{"ada/2.jpg": "obama"})

    assert code == 1, said
    assert "1 of 2 images succeeded" in said
    assert "ada/2.jpg" in said


def test_a_photograph_in_another_folder_is_moved(enrol: Callable[..., tuple[int, str]]) -> None:
    enrol(**{"bob/1.jpg": "obama"})
    code, said = enrol(gone="bob/1.jpg", **{"ada/2.jpg": "obama"})

    assert code == 0, said
    assert "1 moved from bob, who has no photograph left" in said


def test_a_photograph_in_two_folders_fails_until_it_lies_in_one(
    enrol: Callable[..., tuple[int, str]],
) -> None:
    enrol(**{"ada/1.jpg": "obama"})
    code, said = enrol(**{"bob/1.jpg": "obama"})
    assert code == 1, said
    assert "another person's folder too" in said

    code, said = enrol(gone="bob/1.jpg")
    assert code == 0, said
    assert "1 moved from bob, who has no photograph left" in said


def test_a_changed_object_replaces_what_it_showed(enrol: Callable[..., tuple[int, str]]) -> None:
    enrol(**{"ada/1.jpg": "obama"})
    code, said = enrol(**{"ada/1.jpg": "obama2"})

    assert code == 0, said
    assert "1 replaced what their object showed before" in said


def test_photographs_that_change_their_names_all_stay_enrolled(
    enrol: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    enrol(**{"ada/2.jpg": "obama", "ada/3.jpg": "obama2"})
    # One in a job, the last first: each has a photograph that another place is known for.
    enrol("--chunk", "1", **{"ada/1.jpg": "obama2"})
    code, said = enrol("--chunk", "1", **{"ada/3.jpg": "obama3"})

    assert code == 0, said
    last = {line["custom_id"][-9:]: line for line in results(tmp_path / "out.jsonl")}
    faces = {key: line["faces"][0] for key, line in last.items()}
    assert len({face["face_id"] for face in faces.values()}) == 3
    assert faces["ada/1.jpg"]["reason"] == "already_enrolled"  # it shows the face, which stayed
