from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from click.testing import Result
from flask import Flask

from app.adapters.s3 import ObjectStore
from app.adapters.s3_bucket import make_bucket
from app.config import Settings
from tests.support.ports import free_port


@pytest.fixture
def fresh(app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a bucket that nobody has made; the application has them."""
    name = f"fresh-{uuid4()}"
    changed = settings.model_copy(update={"aws_storage_bucket_name": name})
    monkeypatch.setitem(app.config, "SETTINGS", changed)
    return changed


@pytest.fixture
def s3(fresh: Settings) -> Iterator[Any]:
    client = ObjectStore.from_settings(fresh).client
    yield client
    client.delete_bucket(Bucket=fresh.aws_storage_bucket_name)


def _make(app: Flask, *options: str) -> Result:
    return app.test_cli_runner().invoke(args=["buckets", "make", *options])


def test_the_bucket_of_uploads_is_made_once(app: Flask, fresh: Settings, s3: Any) -> None:
    first, second = _make(app), _make(app)

    assert (first.exit_code, first.stdout) == (0, "The bucket has been made\n")
    assert (second.exit_code, second.stdout) == (0, "The bucket is there\n")
    assert s3.list_objects_v2(Bucket=fresh.aws_storage_bucket_name)["KeyCount"] == 0


def test_a_bucket_that_another_made_meanwhile_is_fine(fresh: Settings, s3: Any) -> None:
    s3.create_bucket(Bucket=fresh.aws_storage_bucket_name)

    make_bucket(ObjectStore.from_settings(fresh), fresh.aws_storage_bucket_name, "us-east-1")


def test_a_server_that_does_not_answer_is_one_clear_line(
    app: Flask, fresh: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = {"aws_endpoint_url_s3": f"http://127.0.0.1:{free_port()}"}
    monkeypatch.setitem(app.config, "SETTINGS", fresh.model_copy(update=nowhere))

    made = _make(app)

    assert made.exit_code == 1
    assert made.stderr.startswith("Error: S3 did not deliver s3://fresh-")
    assert len(made.stderr.splitlines()) == 1
