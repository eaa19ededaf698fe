"""`python -m scripts.demo [FOLDER] [--once]`: bring the stack up and show it at work."""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
from rich.console import Console

from scripts.demo.own_folder import folder_plan
from scripts.demo.place import embedded
from scripts.demo.report import print_outcome
from scripts.demo.run import Outcome, Run
from scripts.demo.samples import sample_plan
from scripts.importing.failures import ImportFault
from scripts.stack import lifecycle
from scripts.stack.assets import fetch_portraits
from scripts.stack.failures import StackError
from scripts.stack.ports import refuse_taken
from scripts.stack.report import print_where
from scripts.stack.state import DEFAULT_STATE, load_state

_INTERRUPTED = 130


@click.command()
@click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False
)
@click.option("--once", is_flag=True, help="Stop everything at the end.")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_STATE,
    show_default=".facequeue",
    help="The stack's folder.",
)
def demo(folder: Path | None, *, once: bool, state: Path) -> None:
    """Enrol people and identify photographs of them and of strangers."""
    console = Console()
    try:
        status = _outcome_status(console, folder, state, once=once)
    finally:
        # Also when nobody reads any more what is printed.
        if once:
            lifecycle.down(state)
    if once:
        console.print(f"Stopped, as --once asked. Data stays in {state.name}.")
    sys.exit(status)


def _outcome_status(console: Console, folder: Path | None, state: Path, *, once: bool) -> int:
    try:
        outcome = _show(console, folder, state)
        if not once:
            print_where(console, load_state(state))
    except (StackError, ImportFault) as error:
        click.echo(f"Error: {error}", err=True)
        return 1
    except OSError as error:
        click.echo(f"Error: {error.strerror or error} {error.filename or ''}".rstrip(), err=True)
        return 1
    except KeyboardInterrupt:
        click.echo("\nInterrupted. What was started runs on; end it: ./scripts/quickstart.sh stop")
        return _INTERRUPTED
    return 0 if outcome.event else 1


def _show(console: Console, folder: Path | None, state_folder: Path) -> Outcome:
    started = float(os.environ.get("FACEQUEUE_STARTED") or time.time())
    own_plan = folder_plan(folder) if folder else None
    with ThreadPoolExecutor(1) as pool:
        # Reading a package index and starting servers wait for different things.
        plan = pool.submit(lambda: own_plan or sample_plan(fetch_portraits()))
        state = lifecycle.up(state_folder, everything=True, report=console.print)
        refuse_taken(state, ("receiver",))
        outcome = Run(embedded(state), console).go(plan.result())
    console.print()
    print_outcome(console, state, outcome)
    seconds = outcome.first_result - started
    console.print(f"First result after {seconds:.0f} s from the start of this command.\n")
    lifecycle.up_late(state)
    return outcome


if __name__ == "__main__":
    demo()
