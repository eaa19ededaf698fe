"""`scripts/backup_uploads.sh`: uploads, from their bucket to the backup bucket, what is new."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from app.adapters.s3 import ObjectStore
from app.config import Settings
from app.domain.storage import UPLOADS
from scripts.keeping.backup_database import settings_or_refused
from scripts.keeping.failures import EXIT_CODES, KeepingError, Refused
from scripts.keeping.metrics import measured
from scripts.keeping.shelf import Shelf

_GONE = "gone.json"
_BELOW = f"{UPLOADS}/"

_HELP = f"""Copy uploads from AWS_STORAGE_BUCKET_NAME to AWS_S3_BACKUP_BUCKET, those that it lacks.

The S3 server copies from bucket to bucket; where the two are on different servers, replicate the
bucket instead. Uploads never change, so what is there with its size is not copied again. What is
gone from the bucket goes from the backup after --keep-gone days: an erased picture must not live
on there, and one deleted by mistake can be had back that long. --restore copies the other way
what the bucket lacks, but nothing that is known to be gone.
{EXIT_CODES}"""


@dataclass
class Copied:
    """What a run did."""

    copied: int = 0
    size_bytes: int = 0
    removed: int = 0
    gone: dict[str, str] = field(default_factory=dict)


def copy_uploads(settings: Settings, keep_gone: dt.timedelta) -> Copied:
    """Copy what is new, and remove what has been gone for long enough."""
    store, shelf = _places(settings)
    bucket, done = settings.aws_storage_bucket_name, Copied()
    here = _sizes(store, bucket, _BELOW)
    there = _sizes(store, shelf.place.bucket, shelf.place.key + _BELOW, shelf.place.key)
    for key, size in here.items():
        done.size_bytes += size
        if there.get(key) != size:
            _copy(store, (bucket, key), (shelf.place.bucket, shelf.place.key + key))
            done.copied += 1
    now = dt.datetime.now(dt.UTC)
    before = _read_gone(shelf)
    for key in sorted(there.keys() - here.keys()):
        since = before.get(key, now.isoformat())
        if dt.datetime.fromisoformat(since) + keep_gone <= now:
            shelf.remove(key)
            done.removed += 1
        else:
            done.gone[key] = since
    _write_gone(shelf, done.gone)
    return done


def restore_uploads(settings: Settings) -> Copied:
    """Copy back what the bucket lacks and is not known to be gone."""
    store, shelf = _places(settings)
    bucket, done = settings.aws_storage_bucket_name, Copied()
    here = _sizes(store, bucket, _BELOW)
    there = _sizes(store, shelf.place.bucket, shelf.place.key + _BELOW, shelf.place.key)
    for key in sorted(there.keys() - here.keys() - _read_gone(shelf).keys()):
        _copy(store, (shelf.place.bucket, shelf.place.key + key), (bucket, key))
        done.copied += 1
        done.size_bytes += there[key]
    return done


def _places(settings: Settings) -> tuple[ObjectStore, Shelf]:
    shelf = Shelf.from_settings(settings, "bucket")
    if shelf is None:
        raise Refused("AWS_S3_BACKUP_BUCKET is not set; uploads are copied there")
    return ObjectStore.from_settings(settings), shelf


def _sizes(store: ObjectStore, bucket: str, prefix: str, cut: str = "") -> dict[str, int]:
    pages = store.client.get_paginator("list_objects_v2")
    found = {}
    try:
        for page in pages.paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", ()):
                found[item["Key"].removeprefix(cut)] = int(item["Size"])
    except (ClientError, BotoCoreError) as error:
        raise KeepingError(f"s3://{bucket}/{prefix} is not listed: {error}") from error
    return found


def _copy(store: ObjectStore, source: tuple[str, str], target: tuple[str, str]) -> None:
    origin: dict[str, Any] = {"Bucket": source[0], "Key": source[1]}
    try:
        store.client.copy_object(CopySource=origin, Bucket=target[0], Key=target[1])
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"NoSuchKey", "404"}:  # else erased meanwhile
            raise KeepingError(f"{source[1]} was not copied: {error}") from error
    except BotoCoreError as error:
        raise KeepingError(f"{source[1]} was not copied: {error}") from error


def _read_gone(shelf: Shelf) -> dict[str, str]:
    if _GONE not in shelf.names(_GONE):
        return {}
    with tempfile.TemporaryDirectory() as folder:
        shelf.fetch(_GONE, Path(folder) / _GONE)
        gone: dict[str, str] = json.loads((Path(folder) / _GONE).read_text(encoding="utf-8"))
    return gone


def _write_gone(shelf: Shelf, gone: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _GONE
        path.write_text(json.dumps(gone), encoding="utf-8")
        shelf.put(path, _GONE)


@click.command(help=_HELP)
@click.option("--keep-gone", "days", default=7, show_default=True, type=click.IntRange(0))
@click.option("--restore", is_flag=True, help="Copy back what the bucket lacks.")
def main(days: int, *, restore: bool) -> None:
    """Copy, and say how much."""
    settings = settings_or_refused()
    if restore:
        click.echo(f"{restore_uploads(settings).copied} uploads copied back")
        return
    with measured("uploads", settings.backup_metrics_dir) as run:
        done = copy_uploads(settings, dt.timedelta(days=days))
        run.size_bytes = done.size_bytes
    click.echo(f"{done.copied} uploads copied, {done.removed} removed, {len(done.gone)} gone")


if __name__ == "__main__":
    main()
