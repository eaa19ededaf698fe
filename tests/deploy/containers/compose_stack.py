"""deploy/docker/compose.yml, brought up."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import yaml

from scripts.demo.photos import Photo
from scripts.demo.place import Place
from scripts.stack.state import ROOT
from tests.deploy.containers.engine import Engine
from tests.support.processes import wait_until

_HERE = Path(__file__).parent
GATEWAY = "172.30.81.1"  # this machine, as compose.test.yml lets the containers see it


@dataclass
class ComposeStack:
    """The stack at a free port of this machine, with secrets of its own."""

    engine: Engine
    port: int
    receiver_port: int
    services: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        for part in ("docker", "postgres"):
            shutil.copytree(ROOT / "deploy" / part, self._deploy / part)
        self.engine.run([self._deploy / "docker/make_secrets.sh"])
        self.services = yaml.safe_load((self._deploy / "docker/compose.yml").read_text())[
            "services"
        ]

    @property
    def _deploy(self) -> Path:
        return self.engine.folder / "deploy"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *arguments: str, seconds: float = 600.0) -> str:
        """A command of podman-compose, for all services."""
        files = (self._deploy / "docker/compose.yml", _HERE / "compose.test.yml")
        return self.engine.run(
            [
                *(sys.executable, "-m", "podman_compose"),
                *("--podman-path", _HERE / "podman_that_waits.sh", "--profile", "s3"),
                *(word for file in files for word in ("-f", file)),
                *arguments,
            ],
            seconds=seconds,
            FACEQUEUE_LISTEN=f"127.0.0.1:{self.port}",
            WEBHOOK_ALLOWED_HOSTS=f"{GATEWAY}:{self.receiver_port}",
        )

    def up(self) -> None:
        """All services; returns when those that have a check are well."""
        self.compose("up", "-d")
        for service, its in self.services.items():
            check = its.get("healthcheck", {})
            if check and not check.get("disable"):
                self.wait_for(service)

    def wait_for(self, service: str) -> None:
        wait_until(lambda: self.is_well(service), seconds=300, what=f"{service}'s health")

    def is_well(self, service: str) -> bool:
        """Whether its own check passes now; without systemd podman runs none by itself."""
        return self.engine.succeeds("healthcheck", "run", _name(service))

    def secrets(self) -> dict[str, str]:
        """What make_secrets.sh made, by file."""
        return {file.name: file.read_text() for file in (self._deploy / "docker/secrets").iterdir()}

    def exec(self, service: str, *command: str) -> str:
        return self.engine.podman("exec", _name(service), *command).strip()

    def state(self, service: str) -> dict[str, Any]:
        """What podman knows of a service's container now."""
        (found,) = json.loads(self.engine.podman("inspect", _name(service)))
        return {**found["State"], "RestartCount": found["RestartCount"]}

    def lose(self, service: str) -> None:
        """End a container's processes as a machine without memory does; nobody told podman."""
        os.kill(self.state(service)["Pid"], signal.SIGKILL)

    def account(self) -> str:
        """The key of a new tenant, made as docs/containers.md says."""
        flask = ("flask", "--app", "wsgi")
        tenant = self.exec("default", *flask, "tenants", "create", os.urandom(8).hex())
        wanted = ("--tenant", tenant, "--name", "first", "--scopes", "admin")
        return self.exec("default", *flask, "api-keys", "create", *wanted)

    def place(self) -> Place:
        """Where the quickstart's demo runs: outside, and a new tenant."""
        key = self.account()

        def put(photo: Photo) -> dict[str, Any]:
            answer = requests.post(
                f"{self.url}/api/v1/images",
                headers={"Authorization": f"Bearer {key}"},
                files={"file": (photo.name, photo.load())},
                timeout=30,
            )
            answer.raise_for_status()
            return {"image_id": answer.json()["id"]}

        return Place(self.url, key, put, self.receiver_port, GATEWAY)


def _name(service: str) -> str:
    return f"facequeue_{service}_1"
