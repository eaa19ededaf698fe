"""supervisord: its configuration, its life, and a connection to it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any, cast
from xmlrpc.client import Fault, ProtocolError, ServerProxy  # nosec B411 - our own supervisor answers

import psutil
from supervisor.xmlrpc import Faults, SupervisorTransport

from scripts.stack.environment import MARK, process_environment
from scripts.stack.failures import StackError
from scripts.stack.programs import Program
from scripts.stack.state import ROOT, State, write_private

_USER = "facequeue"
_START_SECONDS = 10.0
_UNREACHABLE = (OSError, ProtocolError, HTTPException)


def socket_of(state: State) -> Path:
    """Where supervisord listens; only the stack's user may enter that folder."""
    return state.sockets / "supervisor.sock"


def configuration_of(state: State) -> Path:
    """The file to give to `supervisorctl -c`."""
    return state.folder / "supervisord.conf"


def write_configuration(state: State, programs: Sequence[Program]) -> None:
    """Write supervisord's file for these programs."""
    sections = _own_sections(state)
    for place, program in enumerate(programs):
        # The later ones use the earlier ones, so they are stopped first.
        section = {**_section(state, program), "priority": place + 1}
        sections[f"program:{program.name}"] = section
    lines = [
        f"[{title}]\n" + "".join(f"{key}={_escape(value)}\n" for key, value in section.items())
        for title, section in sections.items()
    ]
    write_private(configuration_of(state), "\n".join(lines))


def _own_sections(state: State) -> dict[str, Mapping[str, object]]:
    socket, password = socket_of(state), state.secrets["supervisor_password"]
    return {
        "unix_http_server": {
            "file": socket,
            "chmod": "0700",
            "username": _USER,
            "password": password,
        },
        "supervisord": {
            "logfile": state.logs / "supervisord.log",
            "pidfile": state.sockets / "supervisord.pid",
            "childlogdir": state.logs,
            "directory": ROOT,
            "umask": "077",
            **({"user": "root"} if os.getuid() == 0 else {}),
            "identifier": f"facequeue-{state.identity}",
        },
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        },
        "supervisorctl": {
            "serverurl": f"unix://{socket}",
            "username": _USER,
            "password": password,
        },
    }


def _section(state: State, program: Program) -> dict[str, object]:
    command: tuple[str, ...] = program.command
    if program.bare:
        kept = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", MARK: str(state.folder)}
        variables = {**kept, **program.environment}
        command = ("/usr/bin/env", "-i", *(f"{k}={v}" for k, v in variables.items()), *command)
    section: dict[str, object] = {
        "command": shlex.join(command),
        "autostart": "false",
        "autorestart": "true",
        "startsecs": 1,
        "startretries": 5,
        "stopsignal": program.stop_signal,
        "stopwaitsecs": program.stop_seconds,
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": state.logs / f"{program.name}.log",
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": 2,
    }
    if program.user:
        section["user"] = program.user
    if program.environment and not program.bare:
        section["environment"] = ",".join(f'{k}="{v}"' for k, v in program.environment.items())
    return section


def _escape(value: object) -> str:
    return str(value).replace("%", "%%")


class _Transport(SupervisorTransport):  # type: ignore[misc] # supervisor ships no types
    """Its library's transport, closed with the proxy that uses it."""


def connect(state: State) -> Any:
    """The `supervisor` namespace of a running supervisord; calls fail when there is none."""
    transport = _Transport(
        _USER, state.secrets["supervisor_password"], f"unix://{socket_of(state)}"
    )
    return cast("Any", ServerProxy("http://127.0.0.1", transport=transport)).supervisor


def is_running(state: State) -> bool:
    """Whether supervisord answers."""
    if "supervisor_password" not in state.secrets or not socket_of(state).exists():
        return False
    try:
        return bool(connect(state).getState()["statecode"] == 1)
    except (*_UNREACHABLE, Fault):
        return False


def start_supervisor(state: State) -> None:
    """Start supervisord in the background, detached from this terminal.

    Raises:
        StackError: it does not answer; its own words are in the message.
    """
    result = subprocess.run(
        [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration_of(state))],
        cwd=ROOT,
        env=process_environment(state),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    deadline = time.monotonic() + _START_SECONDS
    while result.returncode == 0 and time.monotonic() < deadline:
        if is_running(state):
            return
        time.sleep(0.05)
    words = result.stderr.strip().splitlines()[-1:] or [f"see {state.logs / 'supervisord.log'}"]
    raise StackError(f"supervisord did not start: {words[0]}")


def start_program(state: State, name: str) -> None:
    """Start a program, unless it runs."""
    try:
        connect(state).startProcess(name, False)
    except Fault as fault:
        if fault.faultCode != Faults.ALREADY_STARTED:
            raise StackError(f"{name} did not start: {fault.faultString}") from fault


def reload_programs(state: State) -> None:
    """Have a running supervisord read its file again; programs that did not change go on."""
    supervisor = connect(state)
    [[added, changed, removed]] = supervisor.reloadConfig()
    for name in (*changed, *removed):
        supervisor.stopProcessGroup(name)
        supervisor.removeProcessGroup(name)
    for name in (*added, *changed):
        supervisor.addProcessGroup(name)


def processes(state: State) -> list[dict[str, Any]]:
    """What supervisord says of each program; nothing when it does not run."""
    try:
        return list(connect(state).getAllProcessInfo())
    except (*_UNREACHABLE, KeyError):
        return []


def process(state: State, name: str) -> dict[str, Any]:
    """What supervisord says of one program.

    Raises:
        StackError: supervisord is gone.
    """
    try:
        return cast("dict[str, Any]", connect(state).getProcessInfo(name))
    except _UNREACHABLE as error:
        raise StackError(f"supervisord is gone; see {state.logs / 'supervisord.log'}") from error


def stop_supervisor(state: State, seconds: float = 60.0) -> None:
    """Stop every program in order, supervisord, and then strays that it no longer knew."""
    if is_running(state):
        pid = connect(state).getPID()
        with suppress(*_UNREACHABLE, Fault):
            connect(state).shutdown()
        with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            psutil.Process(pid).wait(seconds)
    end_strays(state)


def strays(state: State) -> list[psutil.Process]:
    """Processes that carry this stack's mark, whoever their parent is now."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and _belongs(process, state):
                found.append(process)
    return found


def _belongs(process: psutil.Process, state: State) -> bool:
    if process.environ().get(MARK) == str(state.folder):
        return True
    # A Redis server writes its title over its environment; it works in its data's folder.
    is_redis = process.name() in {"valkey-server", "redis-server"}
    return is_redis and process.cwd() == str(state.folder / "redis")


def end_strays(state: State) -> None:
    """End what a killed supervisord left behind: politely, then by force."""
    left = strays(state)
    for process in left:
        with suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(left, timeout=10)
    for process in alive:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=5)
