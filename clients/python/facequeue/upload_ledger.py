"""The file that remembers what was uploaded: a JSON line for each content."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from facequeue.connection import call
from facequeue.core import AuthenticatedClient

# Of its life, after which an upload is made anew: jobs must still find it.
_USABLE = 0.9


class UploadLedger:
    """Image ids by digest, of one tenant: another's, and those too old, are passed over."""

    def __init__(self, client: AuthenticatedClient, path: Path) -> None:
        self._tenant = str(call(client, "GET", "/me").json()["tenant_id"])
        self._days = int(call(client, "GET", "/limits").json()["retention_days_images"])
        self._ids: dict[str, UUID] = {}
        self._run = uuid.uuid4().hex
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for line in _whole_lines(text):
            self._read(line)
        self._file = path.open("a", encoding="utf-8")
        if text and not text.endswith("\n"):
            self._file.write("\n")  # a crash cut the last line off
        self._write({"run": self._run, "tenant_id": self._tenant})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def find(self, digest: str) -> UUID | None:
        """Return the id of a content that was uploaded and is there for a while yet."""
        return self._ids.get(digest)

    def idempotency_key(self, digest: str) -> str:
        """Return the same key for the same content until this file is deleted."""
        return f"upload-{self._run}-{digest}"

    def add(self, digest: str, image_id: UUID) -> None:
        """Remember an upload."""
        if self._ids.get(digest) == image_id:
            return
        self._ids[digest] = image_id
        now = dt.datetime.now(dt.UTC).isoformat()
        line = {"sha256": digest, "image_id": str(image_id), "at": now}
        self._write({**line, "tenant_id": self._tenant})

    def _read(self, line: dict[str, Any]) -> None:
        if line["tenant_id"] != self._tenant:
            return
        if "run" in line:
            self._run = line["run"]  # a crash may have left uploads that no line tells of
        elif not self._is_old(dt.datetime.fromisoformat(line["at"])):
            self._ids[line["sha256"]] = UUID(line["image_id"])

    def _is_old(self, at: dt.datetime) -> bool:
        return dt.datetime.now(dt.UTC) - at > dt.timedelta(days=self._days) * _USABLE

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()


def _whole_lines(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue  # cut off by a crash
