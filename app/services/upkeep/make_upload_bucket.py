"""Use case: a new installation gets the bucket that uploads are written to."""

from __future__ import annotations

import time

from flask import current_app

from app.adapters.s3_bucket import make_bucket
from app.config import Settings
from app.domain.item_errors import ImageNotFound, StorageUnavailable
from app.services.tenancy.uploads import object_store

_PAUSE_S = 1.0


def make_upload_bucket(patience: float) -> bool:
    """Make AWS_STORAGE_BUCKET_NAME where there is none; returns whether there was none.

    `patience` is for how many seconds a server that does not answer yet is asked again.

    Raises:
        StorageUnavailable: S3 did not answer in that time.
        StorageRefused: S3 does not make it.
        ItemError: S3 refuses this service the bucket; the kind says why.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return _make(current_app.config["SETTINGS"])
        except StorageUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_S)


def _make(settings: Settings) -> bool:
    store, name = object_store(settings), settings.aws_storage_bucket_name
    try:
        store.check(name)
    except ImageNotFound:
        make_bucket(store, name, settings.aws_s3_region_name)
        return True
    return False
