"""The API on a socket, and an account made with the commands that docs/operations.md names."""

from __future__ import annotations

import re
import socket
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
import requests

from scripts.stack.state import ROOT
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


@contextmanager
def served_api(programs: Processes) -> Iterator[dict[str, str]]:
    """gunicorn at a free port; what a client of it sets in its environment."""
    address = f"127.0.0.1:{_free_port()}"
    environment = {**programs.environment, "GUNICORN_BIND": address}
    with (
        programs.log("served-api").open("ab") as log,
        subprocess.Popen(  # noqa: S603 - our own program
            programs.programs["api"].command, cwd=ROOT, env=environment, stdout=log, stderr=log
        ) as api,
    ):
        url = f"http://{address}"
        try:
            wait_until(lambda: _answers(url), seconds=60, what="the API's answer")
            yield {**environment, "FACEQUEUE_URL": url, "FACEQUEUE_API_KEY": account(environment)}
        finally:
            api.terminate()


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
