"""What tests of backups work on: an installation, its scripts, and questions to its database."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from app import create_app
from app.config import load_settings
from app.database.base import db
from scripts.stack.databases import drop_database, superuser
from scripts.stack.state import ROOT, State


@dataclass(frozen=True)
class Installation:
    """A database of the tests' server, and the environment that an operator's scripts get."""

    services: State
    database: str
    environment: Mapping[str, str]
    folder: Path

    @property
    def backups(self) -> Path:
        return Path(self.environment["BACKUP_DIR"])

    def run(self, script: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a script as an operator does."""
        return subprocess.run(  # noqa: S603 - our own scripts
            [ROOT / "scripts" / script, *arguments],
            cwd=self.folder,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def done(self, script: str, *arguments: str, **more: str) -> str:
        """The same, for what must succeed; returns what it printed."""
        result = self.run(script, *arguments, **more)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def back_up(self, **more: str) -> Path:
        """A backup's folder."""
        return Path(self.done("backup_database.sh", **more).splitlines()[-1])

    @contextmanager
    def application(self) -> Iterator[Flask]:
        """FaceQueue on this database; its connections are gone afterwards."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            app = create_app(load_settings())
        with app.app_context():
            try:
                yield app
            finally:
                for engine in db.engines.values():
                    engine.dispose()

    def destroy(self) -> None:
        """What a backup is for."""
        drop_database(self.services, self.database)

    def ask(self, statement: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """Rows, as a superuser sees them."""
        with (
            superuser(self.services, database or self.database) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
            return list(cursor.fetchall())
