"""A file of JSON lines that is only appended to, and survives being cut off in the middle."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.importing.failures import UsageFault


class JsonLines:
    """One file of JSON objects, one a line."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file.

        Raises:
            UsageFault: the path cannot be written.
        """
        self.path = path
        try:
            self._file = path.open("ab+")
        except OSError as error:
            raise UsageFault(f"cannot write {path}: {error.strerror}") from error

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The whole lines, from the start; a last one that a crash cut short is removed."""
        self._file.seek(0)
        whole = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                self._file.truncate(whole)
                return
            whole += len(line)
            yield json.loads(line)

    def append(self, line: Mapping[str, Any]) -> None:
        """Adds one line; `sync` makes it last."""
        self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")

    def sync(self) -> None:
        """Returns when all that was appended is on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def fileno(self) -> int:
        """The file descriptor, for a lock."""
        return self._file.fileno()

    def close(self) -> None:
        """Writes what is left and closes the file."""
        self._file.close()
