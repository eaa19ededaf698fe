from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app.domain.names import QueueName

ROOT = Path(__file__).parents[3]
UNITS = ROOT / "deploy/systemd"
TIMERS = sorted(UNITS.glob("*.timer"))
# What a timer starts ends by itself.
ONCE = [path.with_suffix(".service") for path in TIMERS]
SERVICES = sorted({path for path in UNITS.glob("*.service") if path.is_file()} - {*ONCE})
COMMON = UNITS / "facequeue-.service.d/common.conf"
WORKERS = (
    "facequeue-recognition.service",
    "facequeue-webhooks.service",
    "facequeue-default.service",
)


def setting(path: Path, name: str) -> list[str]:
    """The values of a setting, with continued lines joined."""
    text = path.read_text().replace("\\\n", " ")
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


def test_there_is_a_unit_for_each_process() -> None:
    assert {path.stem.removeprefix("facequeue-") for path in SERVICES} == {
        "api",
        "recognition",
        "webhooks",
        "default",
        "dispatcher",
        "beat",
        "flower",
        "metrics",
    }


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine"
)
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    # systemd checks that commands exist: a stand-in for the installed programs, in a copy.
    shutil.copytree(UNITS, tmp_path, dirs_exist_ok=True)
    for path in tmp_path.glob("*.service"):
        if path.is_file():
            program = r"/opt/facequeue/(\.venv/bin/\w+|scripts/\w+\.sh)"
            path.write_text(re.sub(program, "/bin/true", path.read_text()))
    units = [path for kind in ("service", "target", "timer") for path in tmp_path.glob(f"*.{kind}")]

    checked = subprocess.run(  # noqa: S603 - our own units
        ["systemd-analyze", "verify", *units],  # noqa: S607 - the tool of this machine
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_a_service_is_started_with_the_target(path: Path) -> None:
    assert setting(path, "WantedBy") == ["facequeue.target"]


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_shuts_down_softly(name: str) -> None:
    assert "REMAP_SIGTERM=SIGQUIT" in setting(UNITS / name, "Environment")


def test_a_service_has_45_seconds_to_stop() -> None:
    assert setting(COMMON, "TimeoutStopSec") == ["45"]
    assert not any(setting(path, "TimeoutStopSec") for path in SERVICES)


def test_a_child_killed_for_memory_does_not_stop_its_service() -> None:
    assert setting(COMMON, "OOMPolicy") == ["continue"]


def test_every_queue_has_one_worker() -> None:
    commands = [command for name in WORKERS for command in setting(UNITS / name, "ExecStart")]
    served = [queue for text in commands for queue in text.split("-Q ")[1].split()[0].split(",")]

    assert sorted(served) == sorted(QueueName)


def test_a_percent_sign_for_celery_is_not_eaten_by_systemd() -> None:
    for path in SERVICES:
        for command in setting(path, "ExecStart"):
            assert not re.search(r"(?<!%)%(?!%)", command), path


@pytest.mark.parametrize("path", ONCE, ids=lambda path: path.stem)
def test_what_a_timer_starts_is_a_script_that_is_there_and_is_not_started_again(
    path: Path,
) -> None:
    assert setting(path, "Type") == ["oneshot"]
    own = path.with_name(f"{path.name}.d") / "oneshot.conf"
    assert own.name > COMMON.name  # systemd reads them by name: the last one decides
    assert setting(own, "Restart") == ["no"]
    for command in setting(path, "ExecStart"):
        script = ROOT / command.split()[0].removeprefix("/opt/facequeue/")
        assert os.access(script, os.X_OK)


def test_cron_runs_the_scripts_that_the_timers_run() -> None:
    started = {command.split()[0] for path in ONCE for command in setting(path, "ExecStart")}
    lines = (ROOT / "deploy/cron/facequeue").read_text()

    assert set(re.findall(r"/opt/facequeue/scripts/\w+\.sh", lines)) == started


def test_only_the_worker_for_chores_is_given_the_owner_of_the_database() -> None:
    holders = [path.name for path in SERVICES if "owner.env" in path.read_text()]

    assert holders == ["facequeue-default.service"]


def test_who_calls_strangers_keeps_nothing_of_the_owner() -> None:
    webhooks = UNITS / "facequeue-webhooks.service"

    assert setting(webhooks, "UnsetEnvironment") == ["DATABASE_OWNER_URL AUDIT_SIGNING_KEY"]


def test_only_recognition_sees_devices() -> None:
    without = [path.stem for path in SERVICES if setting(path, "PrivateDevices") != ["yes"]]

    assert without == ["facequeue-recognition"]
