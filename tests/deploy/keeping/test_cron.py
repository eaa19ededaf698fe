"""deploy/cron: its lines are run as cron runs them, with the file that docs/backup.md makes."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from scripts.stack.state import ROOT
from tests.deploy.keeping.installation import Installation

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("keeping")]

TABLE = (ROOT / "deploy/cron/facequeue").read_text()
VARIABLES = dict(re.findall(r"^(\w+)=(.*)$", TABLE, re.MULTILINE))
# When, who, and what: as in a file of /etc/cron.d.
# Those that are commented out, for some hosts only, are lines too.
LINES = re.findall(r"^(?:# )?((?:\S+ +){5})(\w+) +(/.*)$", TABLE, re.MULTILINE)
LARGEST = (59, 23, 31, 12, 7)


def command(script: str, etc: Path, log: Path) -> list[str]:
    """The line of a script as cron starts it, with its folders where a test may write."""
    [line] = [what for _, _, what in LINES if f"/{script} " in what]
    where = VARIABLES | {"BASH_ENV": str(etc / "cron.sh"), "LOG": str(log), "HOME": str(log)}
    del where["MAILTO"]
    settings = [f"{name}={value}" for name, value in where.items()]
    return ["env", "-i", *settings, "/bin/bash", "-c", line.replace("/opt/facequeue", str(ROOT))]


def test_every_time_is_one() -> None:
    assert len(LINES) == len(re.findall(r"/opt/facequeue/", TABLE))
    for when, who, _ in LINES:
        assert who == "facequeue"
        for field, largest in zip(when.split(), LARGEST, strict=True):
            numbers = re.fullmatch(r"\*(?:/(\d+))?|(\d+)", field)
            assert numbers, field
            assert int(numbers[1] or numbers[2] or 1) <= largest


def test_what_the_page_sets_up_is_what_a_line_needs(
    installation: Installation, tmp_path: Path
) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    settings = "".join(f"{k}={shlex.quote(v)}\n" for k, v in installation.environment.items())
    (etc / "facequeue.env").write_text(settings)
    (etc / "owner.env").touch()
    page = (ROOT / "docs/backup.md").read_text()
    [made] = re.findall(r"^# echo '(.*)' > /etc/facequeue/cron\.sh$", page, re.MULTILINE)
    made = made.replace("/etc/facequeue", str(etc)).replace("/var/lib/facequeue", str(tmp_path))
    (etc / "cron.sh").write_text(made)

    done = subprocess.run(  # noqa: S603 - our own line
        command("export_erasures.sh", etc, tmp_path),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert (installation.backups / "erasures/complete.json").is_file()
    assert (tmp_path / "backup.log").is_file()
