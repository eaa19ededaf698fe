"""`python -m scripts.stack`: start, stop and look at the embedded stack."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from scripts.stack import lifecycle
from scripts.stack.failures import StackError
from scripts.stack.report import print_status
from scripts.stack.state import DEFAULT_STATE, load_state

_state = click.option(
    "--state",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_STATE,
    show_default=".facequeue",
    help="The stack's folder.",
)


def _one_line(command: Callable[..., None]) -> Callable[..., None]:
    """Turn what is in the way into one line on standard error and exit status 1."""

    @wraps(command)
    def wrapped(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
        except StackError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            raise click.ClickException(
                f"{error.strerror or error}: {error.filename or ''}"
            ) from error

    return wrapped


@click.group()
def stack() -> None:
    """PostgreSQL, Valkey, SeaweedFS and FaceQueue's processes, without Docker."""


@stack.command()
@_state
@click.option("--all", "everything", is_flag=True, help="FaceQueue's own processes too.")
@_one_line
def up(folder: Path, *, everything: bool) -> None:
    """Start the servers, make roles and database; leave running what runs."""
    state = lifecycle.up(folder, everything=everything, report=click.echo)
    if everything:
        lifecycle.up_late(state)
    click.echo(f"Up. Settings: . {state.env_file}")


@stack.command()
@_state
@_one_line
def down(folder: Path) -> None:
    """Stop everything; data stays."""
    lifecycle.down(folder)
    click.echo("Stopped.")


@stack.command()
@_state
@_one_line
def reset(folder: Path) -> None:
    """Stop everything and delete data, secrets and logs."""
    lifecycle.reset(folder)
    click.echo(f"Stopped, and removed {folder}.")


@stack.command()
@_state
@_one_line
def status(folder: Path) -> None:
    """Say what runs, since when and with how much memory; exit 3 when something does not."""
    sys.exit(0 if print_status(load_state(folder)) else 3)


@stack.command()
@_state
@click.argument("programs", nargs=-1)
@click.option("--follow", "-f", is_flag=True, help="Go on until Ctrl-C.")
@_one_line
def logs(folder: Path, programs: tuple[str, ...], *, follow: bool) -> None:
    """Print the last lines of PROGRAMS' logs, of all by default."""
    directory = load_state(folder).logs
    names = programs or tuple(sorted(path.stem for path in directory.glob("*.log")))
    files = [str(directory / f"{name}.log") for name in names]
    missing = [name for name, file in zip(names, files, strict=True) if not Path(file).exists()]
    if missing or not files:
        raise StackError(f"No log of {', '.join(missing) or 'anything'} in {directory}.")
    sys.stdout.flush()
    os.execvp("tail", ["tail", *(["-F"] if follow else []), "-n", "20", *files])  # noqa: S606 - tail is what follows logs best


if __name__ == "__main__":
    stack()
