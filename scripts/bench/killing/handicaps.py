"""Programs of a stack with a fault built in, in place of the real ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from scripts.bench.killing.cut_file import VARIABLE
from scripts.stack.programs import Program
from scripts.stack.state import State


def without_sweeper(state: State, program: Program) -> Program | None:
    """No beat, a dispatcher that does not sweep, and an API that can be cut."""
    if program.name == "beat":
        return None
    if program.name == "dispatcher":
        return _dispatcher(state, program, "no-sweeper")
    return with_cut_api(state, program)


def with_cut_api(state: State, program: Program) -> Program:
    """An API that dies between commit and wake-up when the cut file is there."""
    if program.name != "api":
        return program
    command = (*program.command[:-1], "scripts.bench.killing.cut_api:app")
    return _with_cut_file(state, replace(program, command=command))


def with_dying_dispatcher(state: State, program: Program) -> Program:
    """A dispatcher that dies between commit and publish of the job that the cut file tells."""
    return _dispatcher(state, program, "dies") if program.name == "dispatcher" else program


def cut_file(state: State) -> Path:
    """The file that tells a program of this stack to die at its weak spot."""
    return state.folder / "cut"


def _dispatcher(state: State, program: Program, fault: str) -> Program:
    module = "scripts.bench.killing.handicapped_dispatcher"
    command = (*program.command[:-1], module, fault)
    return _with_cut_file(state, replace(program, command=command))


def _with_cut_file(state: State, program: Program) -> Program:
    named = {VARIABLE: str(cut_file(state))}
    return replace(program, environment={**program.environment, **named})
