"""How far an import is: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress

_LINE_SECONDS = 5.0


def readable(key: str) -> str:
    """A key as one line of a terminal: what does not print is escaped."""
    return key if key.isprintable() else repr(key)[1:-1]


class Progress(Protocol):
    """What the import tells while it runs."""

    def advance(self, remaining: int) -> None:
        """Says how many images have no answer yet."""
        ...

    def note(self, text: str) -> None:
        """Says something that the reader should know."""
        ...


class Bar:
    """A progress bar on a terminal."""

    def __init__(self, progress: RichProgress, task: TaskID, total: int) -> None:
        self._progress = progress
        self._task = task
        self._total = total

    def advance(self, remaining: int) -> None:
        """Moves the bar."""
        self._progress.update(self._task, completed=self._total - remaining)

    def note(self, text: str) -> None:
        """Prints a line above the bar."""
        self._progress.console.print(text, markup=False, highlight=False)


class PlainLines:
    """A line now and then, for logs: at most one each five seconds, and one at the end."""

    def __init__(
        self,
        total: int,
        say: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._total = total
        self._say = say
        self._now = now
        self._next_line = 0.0
        self._last = total

    def advance(self, remaining: int) -> None:
        """Prints the count when it has changed and a line is due."""
        due = self._now() >= self._next_line or not remaining
        if due and remaining != self._last:
            self._say(f"{self._total - remaining}/{self._total} images")
            self._next_line = self._now() + _LINE_SECONDS
            self._last = remaining

    def note(self, text: str) -> None:
        """Prints the text."""
        self._say(text)


@contextmanager
def shown(console: Console, total: int) -> Iterator[Progress]:
    """Progress on this console: a bar when it is a terminal, else plain lines."""
    if not console.is_terminal:
        yield PlainLines(total, lambda text: console.print(text, markup=False, highlight=False))
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=console) as bar:
        yield Bar(bar, bar.add_task("images", total=total), total)
