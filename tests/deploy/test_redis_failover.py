"""FaceQueue behind three sentinels: the master is killed amid work, and nobody restarts it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests
from flask import Flask

from app.domain.states import JobState
from scripts.bench.trial import images
from scripts.stack.state import State
from tests.deploy.programs import needs
from tests.deploy.redis_servers import (
    HOST,
    QUOTED,
    SENTINEL_PASSWORD,
    SERVICE,
    Server,
    sentinel,
    server,
)
from tests.factories.tenant_world import TenantWorld
from tests.factories.tenants import make_key
from tests.support.ports import free_port
from tests.support.processes import Processes, processes, wait_until
from tests.support.served_api import started_api

pytestmark = [
    needs("redis-server", "redis-sentinel"),
    pytest.mark.xdist_group("redis"),
    pytest.mark.slow,
]

NUMBER = 1  # of the database


@dataclass(frozen=True)
class Watched:
    """A master, its replica, and the three sentinels that watch them."""

    master: Server
    replica: Server
    sentinels: list[Server]

    @property
    def url(self) -> str:
        # The first one named is not there: whoever knows all asks the next.
        ports = (1, *(each.port for each in self.sentinels))
        hosts = ",".join(f"{HOST}:{port}" for port in ports)
        return f"sentinel://:{QUOTED}@{hosts}/{NUMBER}?service={SERVICE}"

    def know_each_other(self) -> bool:
        return all(
            "OK 3 usable" in (each.ask("SENTINEL", "CKQUORUM", SERVICE) or "")
            and each.ask("SENTINEL", "REPLICAS", SERVICE)
            for each in self.sentinels
        )


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with ExitStack() as stack:
        master = stack.enter_context(server(tmp_path, free_port()))
        replica = stack.enter_context(
            server(tmp_path, free_port(), f"replicaof {HOST} {master.port}")
        )
        found = [
            stack.enter_context(sentinel(tmp_path, free_port(), master.port)) for _ in range(3)
        ]
        watched = Watched(master, replica, found)
        wait_until(watched.know_each_other, what="a quorum of sentinels")
        wait_until(lambda: _says(replica, "master_link_status", "up"), what="a replica")
        yield watched


def _says(redis: Server, key: str, value: str) -> bool:
    """Whether it says so of its replication."""
    return bool((redis.ask("INFO", "replication") or {}).get(key) == value)


@pytest.fixture
def sited(
    watched: Watched,
    services: State,
    stack_environment: dict[str, str],
    models_dir: Path,
    nobody_works: None,
    tmp_path: Path,
) -> Iterator[Processes]:
    """FaceQueue's programs, none of them started, that know the sentinels alone."""
    del models_dir, nobody_works
    environment = stack_environment | {
        "REDIS_URL": watched.url,
        # In the environment Celery would take it for its own.
        "CELERY_BROKER_URL": watched.url,
        "CACHE_URL": watched.url,
        "REDIS_SENTINEL_PASSWORD": SENTINEL_PASSWORD,
        "HINT_SECONDS": "2",
    }
    with processes(services, environment, tmp_path / "logs") as started:
        yield started


@dataclass(frozen=True)
class Client:
    """Asks the API at `address` in the name of a tenant that has a picture."""

    address: str
    key: str
    picture: str

    def submit(self) -> UUID:
        job = {"operation": "detect", "items": [{"custom_id": "1", "image": self.picture}]}
        answer = self._ask("POST", "/api/v1/jobs", json=job)
        assert answer.status_code == 202, answer.text
        return UUID(answer.json()["id"])

    def is_well(self) -> bool:
        """Whether readiness is content with what lies in Redis."""
        checks = self._ask("GET", "/health/ready/").json()["checks"]
        return {checks[name]["status"] for name in ("broker", "cache")} == {"ok"}

    def _ask(self, method: str, path: str, **more: Any) -> requests.Response:
        authorised = {"Authorization": f"Bearer {self.key}"}
        url = f"http://{self.address}{path}"
        return requests.request(method, url, headers=authorised, timeout=20, **more)


def _client(world: TenantWorld, address: str) -> Client:
    face = images.small_face(random.Random(1)).content  # noqa: S311 - a picture, no secret
    return Client(address, make_key(world.tenant_id), world.put("1.jpg", face))


def _submits_until_promoted(client: Client, jobs: list[UUID], watched: Watched) -> bool:
    jobs.append(client.submit())
    return _says(watched.replica, "role", "master")


def test_jobs_are_taken_and_done_while_sentinels_choose_another_master(
    watched: Watched, sited: Processes, app: Flask
) -> None:
    del app
    world = TenantWorld.create()
    sited.ensure("recognition", "dispatcher")
    with started_api(sited, "api-behind-sentinels") as api:
        client = _client(world, api.address)
        jobs = [client.submit()]
        assert world.finished(jobs[0]).state == JobState.SUCCEEDED
        assert client.is_well()

        watched.master.process.kill()
        wait_until(lambda: _submits_until_promoted(client, jobs, watched), what="a failover")
        jobs.append(client.submit())

        for job_id in jobs:
            assert world.finished(job_id).succeeded_items == 1
        wait_until(client.is_well, what="content readiness")
        assert api.process.poll() is None
    assert sited.alive("recognition")
    assert sited.alive("dispatcher")
    with watched.replica.client(NUMBER) as promoted:
        assert promoted.keys("LIMITS*")
        assert promoted.exists("_kombu.binding.recognition")
