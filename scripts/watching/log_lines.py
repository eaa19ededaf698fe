"""Lines of our logs, from files, rotated and packed ones too, from a pipe, or from the journal."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re
import subprocess
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BufferedIOBase
from pathlib import Path
from typing import IO, Any

import click

_GZIP = b"\x1f\x8b"
_AGO = re.compile(r"(\d+) ?([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
# More is no line of ours, and would only fill the memory.
_LONGEST = 1 << 20

Line = dict[str, Any]


@dataclass
class Reading:
    """What was read so far, and what of it was of no use."""

    lines: int = 0
    unreadable: int = 0
    faults: list[str] = field(default_factory=list)

    def parsed(self, texts: Iterable[str], since: dt.datetime | None = None) -> Iterator[Line]:
        """The lines that are of our form, and not older than `since`.

        Whatever stands before the object, such as the name that Compose puts there, is passed over.
        What is no such line, a banner or half of one, is counted.
        """
        for text in texts:
            if not text.strip():
                continue
            self.lines += 1
            line = _object(text)
            moment = moment_of(line) if line else None
            if line is None or moment is None:
                self.unreadable += 1
            elif since is None or moment >= since:
                yield line

    def of_files(self, paths: Sequence[Path]) -> Iterator[str]:
        """The text of files, as far as each can be read; what cannot is a fault."""
        for path in paths:
            try:
                with _opened(path) as stream:
                    yield from _bounded(stream)
            except (OSError, EOFError, zlib.error) as error:
                self.faults.append(f"{path}: {error}")

    def of_journal(self, since: dt.datetime | None) -> Iterator[str]:
        """What our units have in the journal of this host."""
        command = ["journalctl", "--unit", "facequeue-*", "--output", "cat", "--no-pager"]
        if since is not None:
            command += ["--since", f"@{since.timestamp():.0f}"]
        try:
            with subprocess.Popen(command, stdout=subprocess.PIPE) as journal:
                assert journal.stdout is not None  # noqa: S101 - for mypy: it is a pipe
                yield from _bounded(journal.stdout)
        except OSError as error:
            self.faults.append(f"journalctl: {error}")
            return
        if journal.returncode:
            self.faults.append(f"journalctl ended with {journal.returncode}")


def of_standard_input() -> Iterator[str]:
    """What is piped in."""
    return _bounded(sys.stdin.buffer)


def moment_of(line: Line) -> dt.datetime | None:
    """When a line was written; None: it does not say so as we do."""
    try:
        moment = dt.datetime.fromisoformat(line["timestamp"])
    except (KeyError, TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def parse_since(
    _context: click.Context, _parameter: click.Parameter, text: str | None
) -> dt.datetime | None:
    """`90s`, `15m`, `2h`, `7d` ago, or a time in ISO 8601, UTC unless it says otherwise."""
    if text is None:
        return None
    if ago := _AGO.fullmatch(text):
        return dt.datetime.now(dt.UTC) - dt.timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    moment = moment_of({"timestamp": text})
    if moment is None:
        raise click.BadParameter("such as 15m, 2h, 7d or 2026-11-26T14:00")
    return moment


def _object(text: str) -> Line | None:
    start = text.find("{")
    try:
        found = json.loads(text[start:]) if start >= 0 else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _opened(path: Path) -> BufferedIOBase:
    with path.open("rb") as stream:
        packed = stream.read(len(_GZIP)) == _GZIP
    return gzip.open(path) if packed else path.open("rb")


def _bounded(stream: BufferedIOBase | IO[bytes]) -> Iterator[str]:
    while piece := stream.readline(_LONGEST):
        yield piece.decode(errors="replace")
