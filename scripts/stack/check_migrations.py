"""`python -m scripts.stack.check_migrations`: up, nothing missing, down, up, on a new database."""

from __future__ import annotations

import os
import sys

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from scripts.stack.databases import drop_database, empty_database, environment_of
from scripts.stack.state import DEFAULT_STATE, ROOT, load_state

_DATABASE = f"facequeue_migrations_{os.getpid()}"


def main() -> int:
    """Run the steps on the stack of the tests; the exit status."""
    state = load_state(DEFAULT_STATE / "test")
    empty_database(state, _DATABASE)
    os.environ.update(environment_of(state, _DATABASE))
    try:
        _refuse_other_head()
        _up_and_down()
    except (CommandError, SQLAlchemyError) as error:
        print(error)
        return 1
    finally:
        drop_database(state, _DATABASE)
    print("up, nothing missing, down, up")
    return 0


def _refuse_other_head() -> None:
    # The file makes two branches that both add a revision collide when they are merged.
    configuration = Config()
    configuration.set_main_option("script_location", str(ROOT / "migrations"))
    heads = ScriptDirectory.from_config(configuration).get_heads()
    written = (ROOT / "migrations" / ".current-alembic-head").read_text().strip()
    if heads != [written]:
        raise CommandError(f".current-alembic-head says {written}, the revisions say {heads}")


def _up_and_down() -> None:
    from alembic import command
    from flask import current_app

    from app import create_app

    with create_app().app_context():
        configuration = current_app.extensions["migrate"].migrate.get_config()
        command.upgrade(configuration, "head")
        command.check(configuration)
        command.downgrade(configuration, "base")
        command.upgrade(configuration, "head")


if __name__ == "__main__":
    sys.exit(main())
