"""How commands fail: one clear line and exit code 1, for every error that is raised on purpose."""

from __future__ import annotations

from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError, ProgrammingError

from app.commands.operator import operator
from app.domain.errors import FaceQueueError
from app.services.tenancy.record_audit import acting_as


class CommandGroup(AppGroup):
    """A group of commands that run in the application's context."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn our errors into one line on stderr."""
        try:
            with acting_as(operator()):
                return super().invoke(ctx)
        except FaceQueueError as error:
            raise click.ClickException(str(error)) from error
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0]
            raise click.ClickException(f"The database does not answer: {reason}") from error
        except ProgrammingError as error:
            reason = str(error.orig).strip().splitlines()[0]
            raise click.ClickException(
                f"{reason}. Is the schema up to date? Run: flask --app wsgi db upgrade"
            ) from error


def table(rows: list[tuple[object, ...]]) -> None:
    """Print rows as tab-separated columns, which `cut` and `column -t` understand."""
    for row in rows:
        click.echo("\t".join("-" if cell is None else str(cell) for cell in row))
