from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.deploy.programs import needs

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy/docker/Dockerfile"


@needs("hadolint")
def test_the_linter_finds_nothing_in_the_dockerfile() -> None:
    linted = subprocess.run(  # noqa: S603 - our own file
        ["hadolint", str(DOCKERFILE)],  # noqa: S607 - wherever it is installed
        capture_output=True,
        text=True,
        check=False,
    )

    assert (linted.returncode, linted.stdout + linted.stderr) == (0, "")


def test_every_package_of_an_image_is_held_to_its_hash() -> None:
    installs = re.findall(r"pip install (.*)", DOCKERFILE.read_text())

    assert len(installs) == 3
    assert all("--require-hashes" in line and "--no-deps" in line for line in installs)


def test_an_image_runs_as_nobody_in_particular() -> None:
    assert re.findall(r"^USER (.*)", DOCKERFILE.read_text(), re.MULTILINE) == ["10001:10001"]


@pytest.mark.parametrize("source", ["app", "workers", "migrations", "clients/python/facequeue"])
def test_an_image_has_what_its_processes_import(source: str) -> None:
    taken = (ROOT / ".dockerignore").read_text().splitlines()

    assert f"!{source}" in taken


def test_an_image_takes_only_what_is_listed() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] != "#"]

    assert rules[0] == "*"
    assert not any("env" in rule or "secret" in rule for rule in rules)
