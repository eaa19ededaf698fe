from __future__ import annotations

import subprocess

import pytest

from scripts.stack.state import ROOT

QUICKSTART, TEST = ROOT / "scripts" / "quickstart.sh", ROOT / "scripts" / "test.sh"


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own scripts
        [str(part) for part in command], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("word", ["status", "stop", "reset", "logs", "--once", "FOLDER"])
def test_the_quickstart_explains_each_of_its_words(word: str) -> None:
    shown = run(QUICKSTART, "--help")

    assert shown.returncode == 0
    assert word in shown.stdout


def test_an_unknown_option_is_refused_in_one_line() -> None:
    refused = run(QUICKSTART, "--nonsense")

    assert refused.returncode == 1
    assert (
        refused.stderr
        == "Error: There is no option --nonsense. See ./scripts/quickstart.sh --help\n"
    )


def test_a_missing_folder_is_refused_in_one_line() -> None:
    refused = run(QUICKSTART, "/nowhere/at/all")

    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: There is no folder /nowhere/at/all.")


def test_a_machine_without_python_is_told_what_to_install() -> None:
    find = f"ROOT={ROOT}; . {ROOT}/scripts/stack/venv.sh; VENV=/nowhere; PATH=/nowhere; make_venv"
    refused = run("/bin/bash", "-c", find)

    assert refused.returncode == 1
    assert "apt install python3 python3-venv" in refused.stderr


@pytest.mark.parametrize("script", [QUICKSTART, TEST, ROOT / "scripts" / "lock.sh"])
def test_bash_can_read_the_scripts(script: object) -> None:
    assert run("/bin/bash", "-n", script).returncode == 0
