from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from scripts.importing.progress import Bar, PlainLines, readable, shown


def test_a_log_gets_a_line_at_most_every_five_seconds_and_one_at_the_end(clock: Any) -> None:
    lines: list[str] = []
    progress = PlainLines(4, lines.append, clock.now)
    for remaining in (3, 2, 1, 0):
        progress.advance(remaining)
        clock.sleep(3)

    assert lines == ["1/4 images", "3/4 images", "4/4 images"]


def test_a_count_that_has_not_changed_is_not_told_again(clock: Any) -> None:
    lines: list[str] = []
    progress = PlainLines(4, lines.append, clock.now)
    for _ in range(3):
        progress.advance(3)
        clock.sleep(10)

    assert lines == ["1/4 images"]


def test_a_terminal_gets_a_bar() -> None:
    with shown(Console(file=io.StringIO(), force_terminal=True), 4) as progress:
        assert isinstance(progress, Bar)


def test_anything_else_gets_plain_lines() -> None:
    out = io.StringIO()
    with shown(Console(file=out), 4) as progress:
        progress.advance(0)

    assert out.getvalue() == "4/4 images\n"


@pytest.mark.parametrize(
    ("key", "line"),
    [("José/1 +%20.jpg", "José/1 +%20.jpg"), ("a\n\x1b[2J'.jpg", r"a\n\x1b[2J'.jpg")],
)
def test_a_key_is_one_line_and_says_nothing_to_the_terminal(key: str, line: str) -> None:
    assert readable(key) == line
