"""What containers and clusters start: scripts of deploy/, and the nginx of compose.yml."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from scripts.stack.state import ROOT
from tests.deploy.programs import needs
from tests.support.ports import free_port

SCRIPTS = sorted((ROOT / "deploy").rglob("*.sh"))


@needs("shellcheck")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_the_linter_finds_nothing_in_a_script(script: Path) -> None:
    linted = subprocess.run(  # noqa: S603 - our own script
        ["shellcheck", script],  # noqa: S607 - the tool of this machine
        capture_output=True,
        text=True,
        check=False,
    )

    assert (linted.returncode, linted.stdout + linted.stderr) == (0, "")


@needs("nginx")
def test_nginx_accepts_the_site_of_the_containers(tmp_path: Path) -> None:
    text = (ROOT / "deploy/docker/nginx.conf").read_text()
    # Names that only the containers' network knows, and its name server.
    text = re.sub(r"\b(?:api|flower):(\d+)", r"127.0.0.1:\1", text)
    text = text.replace("include /tmp/resolver.conf;", "")
    text = text.replace("listen 80;", f"listen 127.0.0.1:{free_port()};")
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/nginx.pid;\n{text}")
    checked = subprocess.run(  # noqa: S603 - our own configuration
        ["nginx", "-t", "-q", "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", "stderr"],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stderr) == (0, "")
