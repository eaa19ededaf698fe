"""Real processes of FaceQueue, started as supervisord starts them, against a test's database."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from scripts.stack import application
from scripts.stack.programs import Program
from scripts.stack.state import ROOT, State

WORKERS = ("recognition", "webhooks", "default", "dispatcher")


def wait_until(
    condition: Callable[[], bool], *, seconds: float = 30.0, what: str = "the condition"
) -> None:
    """Poll until it holds; no test sleeps for a fixed time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds:g} s")
        time.sleep(0.05)


@dataclass
class Processes:
    """The programs of one test session, each the leader of a process group of its own."""

    programs: Mapping[str, Program]
    environment: Mapping[str, str]
    logs: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start a program; `wait_until` it does what the test needs."""
        program = self.programs[name]
        with self.log(name).open("ab") as log:
            self.running[name] = subprocess.Popen(  # noqa: S603 - our own programs
                program.command,
                cwd=ROOT,
                env={**self.environment, **program.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ensure(self, *names: str) -> None:
        """Start those that do not run: never started, or ended by a test."""
        for name in names:
            if not self.alive(name):
                self.start(name)

    def stop(self, name: str, *, seconds: float = 40.0) -> None:
        """Ask a program to finish what it does and end."""
        process = self.running.pop(name)
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._kill_group(process)

    def kill(self, name: str) -> None:
        """End a program and its children without a word, as a lost machine does."""
        self._kill_group(self.running.pop(name))

    def stop_all(self) -> None:
        for process in self.running.values():
            process.terminate()
        for name in list(self.running):
            self.stop(name, seconds=10.0)

    def log(self, name: str) -> Path:
        """Where a program's output goes."""
        return self.logs / f"{name}.log"

    def alive(self, name: str) -> bool:
        return name in self.running and self.running[name].poll() is None

    @staticmethod
    def _kill_group(process: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


@contextmanager
def processes(state: State, environment: Mapping[str, str], logs: Path) -> Iterator[Processes]:
    """Programs that are gone at the end, whatever the tests did to them."""
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in logs.glob("*.log"):
        old.unlink()
    programs = {program.name: program for program in application.programs(state)}
    started = Processes(programs, environment, logs)
    try:
        yield started
    finally:
        started.stop_all()
