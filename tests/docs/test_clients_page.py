"""docs/clients.md, whose two programs are run as they stand there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.stack.state import ROOT
from tests.support.served_api import run_shell

# One process, so that one API is started for both.
pytestmark = pytest.mark.xdist_group("clients-page")

PAGE = (ROOT / "docs/clients.md").read_text()


def block(language: str) -> str:
    """The page's one program in a language."""
    (program,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(program)


def test_the_program_for_curl_finds_the_person_again(
    client_environment: dict[str, str], portraits: Path
) -> None:
    photos = {
        "PHOTO": str(portraits / "obama.jpg"),
        "OTHER_PHOTO": str(portraits / "obama2.jpg"),
    }
    (face,) = json.loads(run_shell(block("bash"), {**client_environment, **photos}))["faces"]

    assert (face["decision"], face["matches"][0]["subject"]) == ("match", "ada")


def test_the_program_in_python_finds_the_person_again(
    client_environment: dict[str, str], portraits: Path, tmp_path: Path
) -> None:
    for name in ("obama.jpg", "obama2.jpg"):
        shutil.copy(portraits / name, tmp_path / name)
    done = subprocess.run(  # noqa: S603 - our own page
        [sys.executable, "-c", block("python"), tmp_path],
        env={**client_environment, "PYTHONPATH": os.fspath(ROOT / "clients/python")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.stdout == "obama2.jpg match ['ada']\n", done.stderr
