"""From keys to jobs: what is asked for, who is in a picture, and the body of each request."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts.importing.source import Source
from scripts.importing.storage import S3Object

OPERATIONS = ("detect", "enrol", "identify", "verify")
# These cannot run without a gallery; `verify` compares with the subject that the folder names.
NEEDS_COLLECTION = frozenset({"enrol", "identify", "verify"})
# What happens to faces that are there already. A later run may wish otherwise, with the same files.
_OF_FACES_THERE = frozenset({"on_conflict", "on_changed"})
# A longer custom_id is refused by the API; S3 keys may have 1024 bytes.
CUSTOM_ID_LIMIT = 200


@dataclass(frozen=True)
class Plan:
    """What one import is: a second run goes on with the first only if all of this is the same."""

    source: Source
    operation: str
    collection_id: str | None = None
    subject_from_folder: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    tell_webhooks: bool = False

    def fingerprint(self) -> dict[str, Any]:
        """The parts, as plain values, for the state file."""
        options = {name: self.options[name] for name in self.options if name not in _OF_FACES_THERE}
        return {
            "source": str(self.source),
            "operation": self.operation,
            "collection_id": self.collection_id,
            "subject_from": "folder" if self.subject_from_folder else "none",
            "options": options,
        }

    @property
    def moves(self) -> bool:
        """Whether a photograph becomes the person's whose folder it is in, whoever had it."""
        return self.options.get("on_conflict") == "move"

    def subject_of(self, key: str) -> str | None:
        """The person in a picture: the first folder below the prefix, or None when there is none.

        One name may be written in two ways that look the same, and a Mac writes it in the other
        one; the composed one (NFC) is sent, as the service keeps names.
        """
        head, _, rest = key.removeprefix(self.source.folder).lstrip("/").partition("/")
        return unicodedata.normalize("NFC", head) if rest else None

    def names_nobody(self, key: str) -> bool:
        """Whether this import cannot submit a picture, since no folder names the person."""
        return self.subject_from_folder and self.subject_of(key) is None

    def job_body(self, keys: Sequence[str], metadata: Mapping[str, Any]) -> dict[str, Any]:
        """The body of `POST /jobs` for one chunk of keys."""
        body: dict[str, Any] = {
            "operation": self.operation,
            "items": [self._item(key) for key in keys],
            "metadata": dict(metadata),
        }
        if self.collection_id is not None:
            body["collection_id"] = self.collection_id
        if self.options:
            body["options"] = dict(self.options)
        if not self.tell_webhooks:
            body["webhook_endpoint_id"] = None  # null tells nobody; absent tells all who subscribe
        return body

    def _item(self, key: str) -> dict[str, str]:
        item = {"custom_id": custom_id_of(key), "image": self.source.address_of(key)}
        subject = self.subject_of(key) if self.subject_from_folder else None
        if subject is not None:
            item["subject"] = subject
        return item


def custom_id_of(key: str) -> str:
    """The key itself; one that is too long keeps its tail, behind a digest of the whole."""
    if len(key) <= CUSTOM_ID_LIMIT:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    return f"{digest}:{key[-(CUSTOM_ID_LIMIT - len(digest) - 1) :]}"


def chunks(images: Sequence[S3Object], size: int) -> list[Sequence[S3Object]]:
    """Runs of at most `size` consecutive images."""
    return [images[start : start + size] for start in range(0, len(images), size)]
