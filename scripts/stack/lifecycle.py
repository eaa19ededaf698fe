"""Bringing the stack up and taking it down: the order of things."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scripts.stack import (
    application,
    object_store,
    postgres,
    preparation,
    redis_server,
    supervision,
)
from scripts.stack.environment import settings_of, write_env_file
from scripts.stack.failures import StackError
from scripts.stack.ports import choose_ports, refuse_taken
from scripts.stack.programs import Program
from scripts.stack.state import DEFAULT_STATE, State, load_state, locked, prepare_state

Report = Callable[[str], None]

# Databases stop in the middle of a write on a full disk; so much is needed to begin at all.
_FREE_BYTES = 700 * 1024 * 1024


# Separates one life of a program from the next in its log.
_LIFE = "--- started by the stack"


def up(folder: Path = DEFAULT_STATE, *, everything: bool, report: Report = print) -> State:
    """Start the servers and, with `everything`, FaceQueue itself; what runs already is left alone.

    FaceQueue's late programs are left to `up_late`.

    Raises:
        StackError: one line that says what is in the way.
    """
    with locked(folder.resolve()):
        _refuse_full_disk(folder)
        state = prepare_state(folder)
        choose_ports(state)
        # Before their commands are put together: PostgreSQL's folder is chosen here.
        for server in (postgres, redis_server, object_store):
            server.prepare(state)
        programs = _servers(state) + (application.programs(state) if everything else [])
        _supervise(state, programs)
        with ThreadPoolExecutor(1) as pool:
            # Weights need no server: they are fetched meanwhile.
            models = pool.submit(preparation.install_models, state) if everything else None
            _start_servers(state, report)
        if models is not None:
            models.result()
            _start_application(state, report)
        write_env_file(state)
    return state


def up_late(state: State) -> None:
    """Start what a first result does not need: beat and Flower.

    Raises:
        StackError: one of them does not come up.
    """
    with locked(state.folder):
        _start(state, [program for program in application.programs(state) if program.late])


def down(folder: Path = DEFAULT_STATE) -> None:
    """Stop all that runs, also what a killed supervisord left behind."""
    with locked(folder.resolve()):
        state = load_state(folder)
        supervision.stop_supervisor(state)
        object_store.remove_sockets(state)


def reset(folder: Path = DEFAULT_STATE) -> None:
    """Stop all and delete data, secrets and logs, of stacks inside this one too."""
    for inner in folder.glob("*/stack.json"):
        reset(inner.parent)
    down(folder)
    state = load_state(folder)
    postgres.remove(state)
    if state.sockets.parent != state.folder:
        shutil.rmtree(state.sockets, ignore_errors=True)
    shutil.rmtree(state.folder, ignore_errors=True)


def _servers(state: State) -> list[Program]:
    return [postgres.program(state), redis_server.program(state), object_store.program(state)]


def _supervise(state: State, programs: list[Program]) -> None:
    running = not _settings_changed(state) and supervision.is_running(state)
    if not running:
        # Also one with other settings: its programs inherit what it was started with.
        supervision.stop_supervisor(state)
    busy = {item["name"] for item in supervision.processes(state) if item["pid"]}
    refuse_taken(state, tuple(p for each in programs if each.name not in busy for p in each.ports))
    if running and {item["name"] for item in supervision.processes(state)} > {
        program.name for program in programs
    }:
        return  # a whole stack runs and only its servers are asked for
    supervision.write_configuration(state, programs)
    if running:
        supervision.reload_programs(state)
    else:
        shutil.rmtree(state.folder / "metrics", ignore_errors=True)
        (state.folder / "metrics").mkdir(mode=0o700)
        supervision.start_supervisor(state)


def _settings_changed(state: State) -> bool:
    """Whether the programs would get other settings than at the last start; remembers these."""
    account = {"FACEQUEUE_API_KEY", "FACEQUEUE_TENANT_ID"}  # for clients, not for programs
    settings = {k: v for k, v in settings_of(state).items() if k not in account}
    digest = hashlib.sha256(repr(sorted(settings.items())).encode()).hexdigest()
    changed = state.facts.get("settings", digest) != digest
    state.facts["settings"] = digest
    state.save()
    return changed


def _start_servers(state: State, report: Report) -> None:
    report("Starting PostgreSQL, Valkey and SeaweedFS")
    _start(state, _servers(state))
    # Again when the file has changed: it leaves alone what is there.
    if state.facts.get("bootstrapped") != postgres.bootstrap_digest():
        postgres.bootstrap(state)
        state.facts["bootstrapped"] = postgres.bootstrap_digest()
        state.save()


def _start_application(state: State, report: Report) -> None:
    report("Preparing the database")
    preparation.migrate(state)
    preparation.make_account(state)
    report("Starting the API, the workers and the dispatcher")
    _start(state, [program for program in application.programs(state) if not program.late])


def _start(state: State, programs: list[Program]) -> None:
    for program in programs:
        if supervision.process(state, program.name)["pid"] == 0:
            with _log_of(state, program).open("a") as log:
                log.write(f"{_LIFE}\n")
            supervision.start_program(state, program.name)
    for program in programs:
        _wait(state, program)


def _wait(state: State, program: Program) -> None:
    deadline = time.monotonic() + program.ready_seconds
    while time.monotonic() < deadline:
        process = supervision.process(state, program.name)
        if process["statename"] == "FATAL":
            break
        if process["statename"] == "RUNNING" and _is_ready(state, program):
            return
        time.sleep(0.1)
    log = _log_of(state, program)
    raise StackError(f"{program.name} did not come up. {_last_words(log)} (see {log})")


def _is_ready(state: State, program: Program) -> bool:
    if program.ready is not None:
        return program.ready(state)
    life = _log_of(state, program).read_text(errors="replace").rpartition(_LIFE)[2]
    return program.ready_words in life


def _log_of(state: State, program: Program) -> Path:
    return state.logs / f"{program.name}.log"


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
    return f"Its last words: {lines[-1][-300:]}" if lines else "It said nothing"


def _refuse_full_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _FREE_BYTES:
        raise StackError(
            f"Only {free // 2**20} MB are free in {folder}; the stack needs "
            f"{_FREE_BYTES // 2**20} MB. Free some space and start again."
        )
