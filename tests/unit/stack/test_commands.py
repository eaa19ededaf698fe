from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.stack.environment import render
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


def test_an_empty_name_is_no_folder() -> None:
    assert run(QUICKSTART, "").stderr.startswith("Error: There is no folder .")


def test_a_second_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    assert run(QUICKSTART, tmp_path, tmp_path).stderr.startswith("Error: One FOLDER at a time")


def in_folder(root: Path, command: str) -> tuple[str, ...]:
    """A command line that runs functions of venv.sh as if the repository were at `root`."""
    return "/bin/bash", "-c", f"ROOT='{root}'; . {ROOT}/scripts/stack/venv.sh; {command}"


def test_a_proxy_is_asked_for_packages_and_not_for_the_servers_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    asked = "[u.proxy_bypass(host) for host in ('127.0.0.1:8000', 'intranet.example', 'pypi.org')]"
    ask = f"import urllib.request as u; print(*map(bool, {asked}))"
    env_file = tmp_path / "env"
    env_file.write_text(render({}))

    for start in (in_folder(tmp_path, ""), ("/bin/sh", "-c", f". {env_file}; ")):
        shown = run(*start[:-1], f'{start[-1]} {sys.executable} -c "{ask}"')
        assert shown.stdout == "True True False\n", shown.stderr


def test_two_commands_never_set_up_the_same_folder_at_once(tmp_path: Path) -> None:
    (tmp_path / ".facequeue").mkdir()
    with (tmp_path / ".facequeue" / "turn").open("w") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        with subprocess.Popen(  # noqa: S603 - our own functions
            in_folder(tmp_path, "take_turn; echo mine"), stdout=subprocess.PIPE, text=True
        ) as second:
            assert second.stdout
            assert second.stdout.readline().startswith("Waiting for another command")
            fcntl.flock(first, fcntl.LOCK_UN)
            assert second.stdout.readline() == "mine\n"


@pytest.mark.parametrize(("interpreter", "kept"), [("/bin/sh", True), ("/moved/python", False)])
def test_an_environment_whose_commands_lost_their_python_is_made_anew(
    interpreter: str, kept: bool, tmp_path: Path
) -> None:
    commands = tmp_path / ".venv" / "bin"
    commands.mkdir(parents=True)
    for name, first_line in (("python", "/bin/sh"), ("pip", interpreter)):
        (commands / name).write_text(f"#!{first_line}\nexit 0\n")
        (commands / name).chmod(0o700)

    done = run(*in_folder(tmp_path, "find_python() { return 1; }; make_venv"))

    assert (done.returncode == 0) is kept


def test_a_machine_without_python_is_told_what_to_install() -> None:
    find = f"ROOT={ROOT}; . {ROOT}/scripts/stack/venv.sh; VENV=/nowhere; PATH=/nowhere; make_venv"
    refused = run("/bin/bash", "-c", find)

    assert refused.returncode == 1
    assert "apt install python3 python3-venv" in refused.stderr


@pytest.mark.parametrize("script", [QUICKSTART, TEST, ROOT / "scripts" / "lock.sh"])
def test_bash_can_read_the_scripts(script: object) -> None:
    assert run("/bin/bash", "-n", script).returncode == 0
