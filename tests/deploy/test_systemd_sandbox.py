"""The units shut their processes in as far as they go, and the processes do their work in there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from scripts.stack.state import ROOT, State
from tests.deploy.programs import needs
from tests.deploy.sandbox import deny_executable_writes
from tests.support.processes import Processes, wait_until

UNITS = ROOT / "deploy/systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
COMMON = UNITS / "facequeue-.service.d/common.conf"
EXPOSED_AT_MOST = 2.0
PROCESSES = ("api", "recognition", "webhooks", "default", "dispatcher", "beat", "flower")

pytestmark = needs("systemd-analyze")


def analysed(*arguments: str | Path) -> str:
    done = subprocess.run(  # noqa: S603 - our own units
        ["systemd-analyze", "--no-pager", *arguments],  # noqa: S607 - the tool of this machine
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root folder with the units in it, as the installation copies them."""
    root = tmp_path_factory.mktemp("host")
    shutil.copytree(UNITS, root / "etc/systemd/system")
    return root


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_exposed_as_little_as_can_be(service: str, host: Path) -> None:
    told = analysed("security", "--offline=true", f"--root={host}", service)
    (level,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", told)

    assert float(level) <= EXPOSED_AT_MOST, told


@pytest.mark.parametrize("as_they_are", [True, False], ids=["variables", "credentials"])
def test_systemd_accepts_what_is_installed(host: Path, tmp_path: Path, as_they_are: bool) -> None:
    units = tmp_path / "system"
    shutil.copytree(host / "etc/systemd/system", units)
    for path in units.rglob("*.example"):
        if not as_they_are:
            path.rename(path.with_suffix(""))
    for path in units.glob("*.service"):  # systemd checks that programs exist
        path.write_text(re.sub(r"/opt/facequeue/\S+", "/bin/true", path.read_text()))
    wanted = [path for kind in ("service", "target", "timer") for path in units.glob(f"*.{kind}")]

    done = subprocess.run(  # noqa: S603 - our own units
        ["systemd-analyze", "verify", *wanted],  # noqa: S607 - the tool of this machine
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


@cache
def calls_in(group: str) -> frozenset[str]:
    """The names of the system calls in a group of systemd's, and in those that it contains."""
    lines = [line.strip() for line in analysed("syscall-filter", group).splitlines()[1:]]
    names = [line for line in lines if line and not line.startswith("#")]
    return frozenset().union(
        *(calls_in(name) if name.startswith("@") else {name} for name in names)
    )


def allowed_calls() -> frozenset[str]:
    """What the lines of common.conf leave, in their order."""
    left: frozenset[str] = frozenset()
    for group in re.findall(r"^SystemCallFilter=(\S+)$", COMMON.read_text(), re.MULTILINE):
        left = left - calls_in(group[1:]) if group.startswith("~") else left | calls_in(group)
    return left


def denies_executable_writes(name: str) -> bool:
    own = (UNITS / f"facequeue-{name}.service").read_text()
    said = re.findall(r"^MemoryDenyWriteExecute=(\w+)$", COMMON.read_text() + own, re.MULTILINE)
    return bool(said[-1] == "yes")


def test_only_recognition_may_compile_code() -> None:
    free = [name for name in PROCESSES if not denies_executable_writes(name)]

    assert free == ["recognition"]


def inside(name: str, folder: Path, *command: str) -> tuple[str, ...]:
    """A command, as it is run in the sandbox of a process."""
    calls = folder / "calls"
    calls.write_text(" ".join(sorted(allowed_calls())))
    memory = "yes" if denies_executable_writes(name) and memory_can_be_denied() else "no"
    return (sys.executable, "-m", "tests.deploy.sandbox", str(calls), memory, *command)


@pytest.mark.parametrize(
    "forbidden",
    [
        pytest.param("os.chown('.', os.getuid(), os.getgid())", id="chown"),
        pytest.param(
            "mmap.mmap(-1, 4096, prot=7)",
            id="memory",
            marks=pytest.mark.skipif("not memory_can_be_denied()", reason="a kernel before 6.3"),
        ),
    ],
)
def test_the_sandbox_refuses(forbidden: str, tmp_path: Path) -> None:
    program = ("import os, mmap", "try: " + forbidden, "except PermissionError: print('refused')")
    command = inside("api", tmp_path, sys.executable, "-c", "\n".join(program))

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own program

    assert done.stdout.strip() == "refused"


@pytest.fixture
def shut_in(
    programs: Processes, models_dir: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The name of a process that was started in its unit's sandbox."""
    del models_dir
    name: str = request.param
    program = programs.programs[name]
    command = inside(name, tmp_path, *program.command)
    environment = {**program.environment, "PULSE_FILE": str(tmp_path / "pulse")}
    own = replace(program, name="shut-in", command=command, environment=environment)
    programs.programs = {**programs.programs, own.name: own}
    programs.start(own.name)
    yield name
    programs.stop(own.name)


@cache
def memory_can_be_denied() -> bool:
    """Whether this kernel can, asked in a process of its own."""
    asked = f"from {deny_executable_writes.__module__} import *; deny_executable_writes()"
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", asked], cwd=ROOT, check=False, capture_output=True
    )
    return done.returncode == 0


@pytest.mark.parametrize("shut_in", PROCESSES, indirect=True)
def test_a_process_does_its_work_in_its_unit_s_sandbox(
    shut_in: str, services: State, programs: Processes, tmp_path: Path
) -> None:
    ready, pulse = programs.programs[shut_in].ready, tmp_path / "pulse"

    wait_until(
        lambda: ready(services) if ready else pulse.exists(), seconds=120, what=f"{shut_in} at work"
    )

    status = Path(f"/proc/{programs.running['shut-in'].pid}/status").read_text()
    assert re.search(r"^Seccomp:\s+2$", status, re.MULTILINE)


@pytest.mark.parametrize("drop_in", ["facequeue-", "facequeue-default"])
def test_credentials_are_named_like_settings(drop_in: str) -> None:
    from app.config import Settings

    text = (UNITS / f"{drop_in}.service.d/credentials.conf.example").read_text()
    loaded = re.findall(
        r"^LoadCredential=(\w+):/etc/facequeue/credentials/(\w+)$", text, re.MULTILINE
    )

    assert loaded
    assert all(name == file and name in Settings.model_fields for name, file in loaded)


def test_only_the_worker_for_chores_is_given_the_owner_s_credentials() -> None:
    holders = [
        path.parent.name
        for path in UNITS.rglob("*.example")
        if "owner" in "".join(re.findall(r"^LoadCredential=.*$", path.read_text(), re.MULTILINE))
    ]

    assert holders == ["facequeue-default.service.d"]
