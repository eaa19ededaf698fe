"""Backups of one kind: a folder each, named by its time, with the digest of every file.

A folder is a backup once it has SHA256SUMS, which is written, and copied to the bucket, last.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.config import Settings
from scripts.keeping.failures import KeepingError, Refused
from scripts.keeping.shelf import Shelf

SUMS = "SHA256SUMS"
_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"^\d{8}T\d{6}Z$")
_DRAFT = ".draft"


@dataclass(frozen=True)
class BackupSets:
    """All backups of a kind, on this host and in the bucket."""

    folder: Path
    shelf: Shelf | None
    kept_for: dt.timedelta

    @classmethod
    def of(cls, settings: Settings, kind: str) -> BackupSets:
        """Those that the settings name."""
        kept_for = dt.timedelta(days=settings.retention_days_backups)
        return cls(settings.backup_dir / kind, Shelf.from_settings(settings, kind), kept_for)

    @contextmanager
    def new(self) -> Iterator[Path]:
        """A folder to fill; a backup on leaving it, and gone where that fails.

        Raises:
            Refused: another backup of the kind is being made.
        """
        _make_private(self.folder)
        with self._turn():
            for left in self.folder.glob(f"*{_DRAFT}"):
                shutil.rmtree(left)
            name = f"{dt.datetime.now(dt.UTC):{_STAMP}}"
            draft = self.folder / (name + _DRAFT)
            draft.mkdir(mode=0o700)
            try:
                yield draft
                _write_sums(draft)
                draft.rename(self.folder / name)
            finally:
                shutil.rmtree(draft, ignore_errors=True)

    def publish(self) -> list[str]:
        """Copy to the bucket what it lacks; returns the names of the backups that were copied."""
        if self.shelf is None:
            return []
        there = set(self._there())
        missing = [name for name in self.here() if name not in there]
        for name in missing:
            files = sorted(
                (path for path in (self.folder / name).iterdir()),
                key=lambda path: (path.name == SUMS, path.name),
            )
            for path in files:
                self.shelf.put(path, f"{name}/{path.name}")
        return missing

    def prune(self) -> list[str]:
        """Remove backups that are too old, but never the last; returns their names."""
        here, there = self.here(), self._there()
        removed = set()
        for name in self._too_old(here):
            shutil.rmtree(self.folder / name)
            removed.add(name)
        for name in self._too_old(there):
            if self.shelf is not None:
                self.shelf.remove(f"{name}/")
                removed.add(name)
        return sorted(removed)

    def here(self) -> list[str]:
        """Names of whole backups on this host, oldest first."""
        return sorted(
            path.parent.name
            for path in self.folder.glob(f"*/{SUMS}")
            if _NAME.match(path.parent.name)
        )

    def size(self, name: str) -> int:
        """How many bytes a backup has."""
        return sum(path.stat().st_size for path in (self.folder / name).iterdir())

    def find(self, wanted: str, before: dt.datetime | None = None) -> Path:
        """The folder of a backup, by its path, or a file in it, or its name, or as `latest`.

        One that is in the bucket alone is fetched. `before` asks for one made no later.

        Raises:
            Refused: there is none.
        """
        path = Path(wanted)
        if "/" in wanted or path.exists():
            return self._at(path)
        names = sorted({*self.here(), *self._there()})
        if wanted != "latest":
            names = [name for name in names if name == wanted]
        if before is not None:
            names = [name for name in names if made_at(name) <= before]
        if not names:
            raise Refused(
                f"There is no such backup in {self.folder}"
                + (f" or {self.shelf.place}" if self.shelf else "")
                + (f" made by {before}" if before else "")
            )
        return self._fetched(names[-1])

    def _at(self, path: Path) -> Path:
        folder = path if path.is_dir() else path.parent
        if not (folder / SUMS).is_file():
            raise Refused(f"{path} is no backup: {folder / SUMS} is not there")
        return folder.resolve()

    def _fetched(self, name: str) -> Path:
        folder = self.folder / name
        if not (folder / SUMS).exists() and self.shelf is not None:
            _make_private(folder)
            keys = sorted(self.shelf.names(f"{name}/"), key=lambda key: key.endswith(SUMS))
            for key in keys:
                self.shelf.fetch(key, folder / Path(key).name)
        return folder

    def _there(self) -> list[str]:
        if self.shelf is None:
            return []
        keys = (key.split("/") for key in self.shelf.names())
        return sorted(key[0] for key in keys if key[1:] == [SUMS] and _NAME.match(key[0]))

    def _too_old(self, names: list[str]) -> list[str]:
        limit = dt.datetime.now(dt.UTC) - self.kept_for
        return [name for name in names[:-1] if made_at(name) < limit]

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Refused(f"Another backup is being made in {self.folder}") from error
            yield


def made_at(name: str) -> dt.datetime:
    """When the backup of this name was begun."""
    return dt.datetime.strptime(name, _STAMP).replace(tzinfo=dt.UTC)


def check_sums(folder: Path) -> None:
    """Compare every file of a backup with its digest.

    Raises:
        KeepingError: a file is missing or is not what was written.
    """
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    if not lines:
        raise KeepingError(f"{folder / SUMS} is empty")
    for line in lines:
        digest, _, name = line.partition("  ")
        path = folder / name
        if not path.is_file():
            raise KeepingError(f"{path} is missing; take another backup")
        if _digest(path) != digest:
            raise KeepingError(f"{path} is damaged: its SHA-256 differs; take another backup")


def _write_sums(folder: Path) -> None:
    """For `sha256sum --check` as well."""
    lines = []
    for path in sorted(folder.iterdir()):
        path.chmod(0o600)
        lines.append(f"{_digest(path)}  {path.name}\n")
        with path.open("rb") as handle:
            os.fsync(handle.fileno())
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"{folder} cannot be made ({error.strerror}): set BACKUP_DIR") from error
