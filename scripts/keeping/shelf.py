"""The backup bucket: what is copied to it, listed, fetched and removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from app.adapters.s3 import ObjectStore
from app.config import Settings
from app.domain.item_errors import ItemError
from app.domain.storage import ObjectLocation
from scripts.keeping.failures import KeepingError


@dataclass(frozen=True)
class Shelf:
    """A prefix of the bucket; keys are relative to it."""

    store: ObjectStore
    place: ObjectLocation

    @classmethod
    def from_settings(cls, settings: Settings, below: str) -> Shelf | None:
        """The part of AWS_S3_BACKUP_BUCKET that is called `below`; None where none is set."""
        if settings.aws_s3_backup_bucket is None:
            return None
        bucket, _, prefix = settings.aws_s3_backup_bucket.removeprefix("s3://").partition("/")
        parts = [*([prefix.strip("/")] if prefix.strip("/") else []), below, ""]
        return cls(ObjectStore.from_settings(settings), ObjectLocation(bucket, "/".join(parts)))

    def put(self, path: Path, key: str) -> None:
        """Copy a file there, in parts where it is large."""
        with self._speaking(f"does not take {key}"):
            self.store.client.upload_file(str(path), self.place.bucket, self.place.key + key)

    def fetch(self, key: str, path: Path) -> None:
        """Copy an object here; the file is whole or not there."""
        draft = path.with_name(path.name + ".draft")
        with self._speaking(f"does not deliver {key}"):
            self.store.client.download_file(self.place.bucket, self.place.key + key, str(draft))
        draft.rename(path)

    def names(self, below: str = "") -> list[str]:
        """The keys there are, in their order."""
        with self._speaking("is not listed"):
            place = ObjectLocation(self.place.bucket, self.place.key + below)
            return [key.removeprefix(self.place.key) for key in self.store.keys(place)]

    def remove(self, below: str) -> None:
        """Delete all whose keys begin so."""
        with self._speaking(f"does not delete {below}"):
            self.store.delete_below(ObjectLocation(self.place.bucket, self.place.key + below))

    @contextmanager
    def _speaking(self, what: str) -> Iterator[None]:
        try:
            yield
        except (ItemError, Boto3Error, BotoCoreError, ClientError, OSError) as error:
            raise KeepingError(f"{self.place} {what}: {error}") from error
