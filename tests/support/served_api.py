"""The API on a socket, and an account made with the commands that docs/operations.md names."""

from __future__ import annotations

import re
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from scripts.stack.state import ROOT
from tests.support.ports import free_port
from tests.support.processes import WORKERS, Processes, wait_until

_COMMAND = re.compile(
    r"^\$ (\.venv/bin/flask --app wsgi (?:tenants create|buckets allow|api-keys create) .*)$",
    re.MULTILINE,
)


@pytest.fixture(scope="module")
def client_environment(_workers: Processes) -> Iterator[dict[str, str]]:
    """What a client's shell has: an API that serves, workers that run, and a key."""
    _workers.ensure(*WORKERS)  # tests of other modules stop some
    with served_api(_workers) as environment:
        yield environment


@dataclass(frozen=True)
class ServedApi:
    """A gunicorn that answers, and where it writes its log."""

    process: subprocess.Popen[bytes]
    environment: Mapping[str, str]
    log: Path

    @property
    def address(self) -> str:
        return self.environment["GUNICORN_BIND"]


@contextmanager
def started_api(programs: Processes, name: str) -> Iterator[ServedApi]:
    """gunicorn at a free port, the leader of a process group of its own; ended with the block."""
    environment = {**programs.environment, "GUNICORN_BIND": f"127.0.0.1:{free_port()}"}
    log = programs.log(name)
    with (
        log.open("ab") as output,
        subprocess.Popen(  # noqa: S603 - our own program
            programs.programs["api"].command,
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        ) as process,
    ):
        api = ServedApi(process, environment, log)
        try:
            wait_until(
                lambda: _answers(f"http://{api.address}"), seconds=60, what="the API's answer"
            )
            yield api
        finally:
            process.terminate()


@contextmanager
def served_api(programs: Processes) -> Iterator[dict[str, str]]:
    """gunicorn at a free port; what a client of it sets in its environment."""
    with started_api(programs, "served-api") as api:
        yield {
            **api.environment,
            "FACEQUEUE_URL": f"http://{api.address}",
            "FACEQUEUE_API_KEY": account(api.environment),
        }


def account(environment: Mapping[str, str]) -> str:
    """A new tenant that may read the whole test bucket; its key."""
    tenant, key = "", ""
    for command in _COMMAND.findall((ROOT / "docs/operations.md").read_text()):
        adapted = (
            command.replace("Acme", f"Acme {uuid.uuid4()}")
            .replace("TENANT_ID", tenant)
            .replace("acme-photos", environment["AWS_STORAGE_BUCKET_NAME"])
        )
        printed = run_shell(adapted, environment).strip()
        tenant, key = tenant or printed, printed
    return key


def run_shell(script: str, environment: Mapping[str, str]) -> str:
    """What a script of our own pages prints, run in the repository; fails the test if it fails."""
    done = subprocess.run(  # noqa: S603 - our own script
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/health/", timeout=5).ok
    except requests.RequestException:
        return False
