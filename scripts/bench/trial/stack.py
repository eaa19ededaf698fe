"""A whole stack in a folder of its own, which survives SIGKILL as production does."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from scripts.stack import (
    application,
    lifecycle,
    object_store,
    postgres,
    preparation,
    redis_server,
    supervision,
)
from scripts.stack.environment import settings_of
from scripts.stack.failures import StackError
from scripts.stack.programs import Program
from scripts.stack.state import State

# The options by which a test's PostgreSQL gives up durability; a trial of durability must not.
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")

# Load comes from one key, faster than a client may go.
_SETTINGS = {"ENABLE_API_RATE_LIMITING": "false", "LOG_LEVEL": "WARNING"}


@dataclass(frozen=True)
class Tenant:
    """A tenant of the trial, and the key that it calls the API with."""

    id: str
    key: str


class TrialStack:
    """The running stack: its programs by name, and its settings."""

    def __init__(self, state: State, programs: Sequence[Program]) -> None:
        self.state = state
        self.settings = settings_of(state)
        self.programs = {program.name: program for program in programs}

    @property
    def url(self) -> str:
        """Where the API answers."""
        return self.settings["FACEQUEUE_URL"]

    def pid(self, name: str) -> int:
        """The process id of a program; 0 when it does not run just now."""
        return int(supervision.process(self.state, name)["pid"])

    def start(self, *names: str) -> None:
        """Start programs that are not running, and wait until they are ready."""
        for name in names:
            supervision.start_program(self.state, name)
        for name in names:
            self.wait_ready(name)

    def stop(self, *names: str) -> None:
        """Ask programs to end, and wait until they have."""
        for name in names:
            supervision.connect(self.state).stopProcess(name)

    def wait_ready(self, name: str, seconds: float = 60.0) -> None:
        """Wait for a program to run and answer; one that supervision gave up is started again.

        Raises:
            StackError: it did not come up in time.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            process = supervision.process(self.state, name)
            if process["statename"] in {"FATAL", "EXITED", "STOPPED"}:
                supervision.start_program(self.state, name)
            ready = self.programs[name].ready
            if process["statename"] == "RUNNING" and (ready is None or ready(self.state)):
                return
            time.sleep(0.1)
        raise StackError(f"{name} did not come up; see {self.state.logs / f'{name}.log'}")

    def make_tenant(self, name: str) -> Tenant:
        """A tenant with an admin key that may read the stack's bucket."""
        made = preparation.new_tenant(self.state, name)
        return Tenant(made["tenant_id"], made["api_key"])


Change = Callable[[State, Program], Program | None]
"""Replaces a program of the stack by another, or leaves it out by answering None."""


def unchanged(_state: State, program: Program) -> Program:
    """Run a program as it is."""
    return program


@contextmanager
def trial_stack(
    change: Change = unchanged,
    settings: Mapping[str, str] | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Iterator[TrialStack]:
    """A stack in a temporary folder, gone at the end.

    FaceQueue's own programs are configured but not started: `start` those that the trial needs.
    """
    folder = Path(tempfile.mkdtemp(prefix="facequeue-trial-"))
    signal.signal(signal.SIGTERM, _leave)
    try:
        state = lifecycle.up(folder, everything=False, report=report)
        report("Migrating the database and installing the model's weights")
        preparation.migrate(state)
        preparation.install_models(state)
        stack = TrialStack(state, _programs(state, change, settings or {}))
        supervision.write_configuration(state, list(stack.programs.values()))
        supervision.reload_programs(state)
        stack.start(*_SERVERS)
        yield stack
    finally:
        lifecycle.reset(folder)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    """Told to stop, leave nothing behind."""
    sys.exit(128 + signal.SIGTERM)


_SERVERS = ("postgres", "redis", "s3")


def _programs(state: State, change: Change, settings: Mapping[str, str]) -> list[Program]:
    servers = [
        _durable(postgres.program(state)),
        redis_server.program(state),
        object_store.program(state),
    ]
    ours = [
        change(state, _with(program, settings))
        for program in application.programs(state)
        if program.name != "flower"
    ]
    return [*servers, *(program for program in ours if program is not None)]


def _durable(program: Program) -> Program:
    words = [word for word in program.command if word not in _NOT_DURABLE]
    # Each option was `-c name=value`: drop the `-c` that lost its value.
    pairs = zip(words, [*words[1:], "-c"], strict=True)
    return replace(program, command=tuple(word for word, after in pairs if {word, after} != {"-c"}))


def _with(program: Program, settings: Mapping[str, str]) -> Program:
    return replace(program, environment={**program.environment, **_SETTINGS, **settings})
