from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.stack.databases import clone_template, superuser
from scripts.stack.environment import database_url
from scripts.stack.state import State
from tests.deploy.keeping.installation import Installation


@pytest.fixture
def installation(
    services: State, stack_environment: dict[str, str], slot: int, tmp_path: Path
) -> Iterator[Installation]:
    """An installation whose database the test may destroy, with a place for its backups."""
    name = f"facequeue_kept_{slot}"
    clone_template(services, name)
    environment = {
        **stack_environment,
        "DATABASE_URL": database_url(services, "app", name),
        "DATABASE_QUEUE_URL": database_url(services, "queue", name),
        "DATABASE_OWNER_URL": database_url(services, "owner", name),
        "SUPERUSER_URL": database_url(services, "superuser", "postgres"),
        "BACKUP_DIR": str(tmp_path / "backups"),
        "BACKUP_METRICS_DIR": str(tmp_path / "metrics"),
    }
    yield Installation(services, name, environment, tmp_path)
    with superuser(services) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name])
        for (database,) in cursor.fetchall():
            cursor.execute(f'DROP DATABASE "{database}" WITH (FORCE)')
