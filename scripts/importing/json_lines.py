"""A file of JSON lines that is only appended to, and survives being cut off in the middle."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from scripts.importing.failures import CannotWrite, UsageFault


class JsonLines:
    """One file of JSON objects, one a line. Writing raises `CannotWrite`."""

    def __init__(self, path: Path, needs: frozenset[str] = frozenset()) -> None:
        """Opens or makes the file, each line of which has the needed names.

        Raises:
            UsageFault: the path cannot be written.
        """
        self.path = path
        self._needs = needs
        try:
            self._file = path.open("ab+")
        except OSError as error:
            raise UsageFault(f"cannot write {path}: {error.strerror}") from error

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The whole lines, from the start; a last one that a crash cut short is removed.

        Raises:
            UsageFault: a line is no JSON object, or lacks a needed name.
        """
        self._file.seek(0)
        whole = 0
        for number, line in enumerate(self._file, start=1):
            if not line.endswith(b"\n"):
                self._file.truncate(whole)
                return
            whole += len(line)
            if line.strip():
                yield self._read(line, number)

    def append(self, line: Mapping[str, Any]) -> None:
        """Adds one line; `sync` makes it last."""
        with self._writing():
            self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")

    def sync(self) -> None:
        """Returns when all that was appended is on the disk."""
        with self._writing():
            self._file.flush()
            os.fsync(self._file.fileno())

    def fileno(self) -> int:
        """The file descriptor, for a lock."""
        return self._file.fileno()

    def close(self) -> None:
        """Writes what is left and closes the file; what was not synced may be lost."""
        with suppress(OSError):  # a full disk has been told of by `sync`
            self._file.close()

    def _read(self, line: bytes, number: int) -> dict[str, Any]:
        with suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict) and self._needs <= found.keys():
                return found
        raise UsageFault(
            f"{self.path}, line {number}, is damaged; remove that line and run the same command"
            " again (what is then missing is asked for or submitted again)"
        )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CannotWrite(
                f"cannot write {self.path}: {error.strerror}; what is there stays,"
                " run the same command again when it can be written"
            ) from error
