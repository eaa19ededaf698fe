"""docs/deploy_files.md names every file of deploy/, and tests that there are."""

from __future__ import annotations

import re
import subprocess
from fnmatch import fnmatchcase

from scripts.stack.state import ROOT

PAGE = (ROOT / "docs/deploy_files.md").read_text()
ROWS: list[tuple[str, str]] = re.findall(
    r"^\| `([^`]+)` \| .+ \| `([^`]+)` \|$", PAGE, re.MULTILINE
)


def files() -> list[str]:
    """What git keeps there, and what it is about to: secrets that were made are ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "."],  # noqa: S607
        cwd=ROOT / "deploy",
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / "deploy" / name).exists()]


def test_every_file_has_a_line_and_every_line_a_file() -> None:
    found = {name: next((p for p, _ in ROWS if fnmatchcase(name, p)), None) for name in files()}

    assert [name for name, pattern in found.items() if pattern is None] == []
    assert {pattern for pattern, _ in ROWS} - set(found.values()) == set()


def test_every_test_that_is_named_is_there() -> None:
    assert len(ROWS) == PAGE.count("\n| `")
    assert [test for _, test in ROWS if not (ROOT / test).is_file()] == []


def test_every_package_of_the_tests_has_a_name_that_apt_takes_and_a_reason() -> None:
    lines = (ROOT / "deploy/test-packages.txt").read_text().splitlines()

    for line in lines:
        assert re.fullmatch(r"#.*|[a-z0-9][a-z0-9+.-]+ +\S.*", line), line
