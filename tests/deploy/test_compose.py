from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.domain.names import QueueName

FOLDER = Path(__file__).parents[2] / "deploy/docker"


@pytest.fixture
def stack() -> dict[str, Any]:
    """The production stack as its file says it."""
    return dict(yaml.safe_load((FOLDER / "compose.yml").read_text()))


def test_every_queue_has_a_worker(stack: dict[str, Any]) -> None:
    commands = [service.get("command", []) for service in stack["services"].values()]
    served = [command[command.index("-Q") + 1] for command in commands if "-Q" in command]

    assert sorted(",".join(served).split(",")) == sorted(QueueName)


def test_only_migrations_and_chores_may_act_as_the_database_s_owner(stack: dict[str, Any]) -> None:
    owners = {
        name
        for name, service in stack["services"].items()
        if "database_owner_url" in service.get("secrets", [])
    }

    assert owners == {"migrate", "default"}


def test_every_secret_of_the_stack_is_made(stack: dict[str, Any], tmp_path: Path) -> None:
    script = Path(shutil.copy(FOLDER / "make_secrets.sh", tmp_path))
    subprocess.run([script], check=True, capture_output=True)  # noqa: S603 - our own script
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    subprocess.run([script], check=True, capture_output=True)  # noqa: S603 - our own script

    assert made.keys() == stack["secrets"].keys()
    assert all(made.values())
    assert made == {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert re.fullmatch(r"postgresql\+psycopg2://facequeue_app:\w{64}@.*", made["database_url"])


def test_what_developers_change_is_there(stack: dict[str, Any]) -> None:
    services = yaml.safe_load((FOLDER / "compose.dev.yml").read_text())["services"]
    mounts = [mount.split(":") for each in services.values() for mount in each.get("volumes", ())]

    assert services.keys() <= stack["services"].keys()
    assert mounts
    for folder, inside, mode in mounts:
        assert ((FOLDER / folder).is_dir(), mode) == (True, "ro")
        assert Path(inside) == Path("/opt/facequeue") / Path(folder).name
