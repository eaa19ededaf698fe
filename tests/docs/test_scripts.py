"""Every script that people run explains itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = [
    path.relative_to(ROOT)
    for folder in ("scripts", "scripts/bench")
    for path in sorted((ROOT / folder).glob("*.py"))
    if "__main__" in path.read_text()
]


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_a_script_says_what_it_does_and_takes(script: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, str(script), "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "--json" in done.stdout or script.parent.name == "scripts"
    assert len(done.stdout.split()) > 20
