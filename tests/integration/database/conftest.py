"""A streaming replica, and an API that reads from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import make_url

from app import create_app
from app.config import Settings, load_settings
from scripts.stack.environment import HOST
from scripts.stack.state import State
from tests.factories.callers import Caller, make_caller
from tests.factories.tenants import make_key
from tests.support.processes import wait_until
from tests.support.replica import StreamingReplica, streaming_replica


@dataclass(frozen=True)
class Site:
    """An API that has the replica, and a client of it with a key that writes."""

    app: Flask
    writer: Caller

    @property
    def reader(self) -> Caller:
        """The same tenant's client with a key that has written nothing."""
        return self.writer.with_key(make_key(self.writer.tenant_id))

    def check(self) -> dict[str, str]:
        """What readiness says of the replica."""
        response = self.app.test_client().get("/health/ready/")
        assert response.status_code == 200
        found: dict[str, str] = response.get_json()["checks"]["replica"]
        return found

    def wait_for(self, status: str, detail: str = "") -> None:
        wait_until(
            lambda: self.check()["status"] == status and detail in self.check()["detail"],
            seconds=60,
            what=f"a replica that is {status}: {detail}",
        )

    def names(self, asking: Caller, **headers: str) -> set[str]:
        """Names of the tenant's collections, as one client's list shows them."""
        response = asking.get("/collections", headers=headers)
        assert response.status_code == 200
        return {row["name"] for row in response.get_json()["data"]}


def replica_url(settings: Settings, replica: StreamingReplica, **parts: str) -> str:
    url = make_url(settings.database_url).set(host=HOST, port=replica.port, **parts)
    return url.render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def running(services: State, settings: Settings) -> Iterator[StreamingReplica]:
    del settings  # the database is made before it is copied
    with streaming_replica(services) as replica:
        yield replica


@pytest.fixture
def replica(running: StreamingReplica) -> Iterator[StreamingReplica]:
    """The replica, which each test finds well and following."""
    yield running
    running.thaw()
    if not running.answers():
        running.kill()
        running.start()
    running.go_on()


SiteMaker = Callable[..., Site]


@pytest.fixture
def site(app: Flask, settings: Settings, replica: StreamingReplica) -> SiteMaker:
    """Makes an API that lets the replica lag so many seconds, and waits until it uses it."""

    def make(max_lag: int, *, replica: StreamingReplica = replica, **changes: str) -> Site:
        changed = {
            "database_replica_url": replica_url(settings, replica),
            "database_replica_max_lag_seconds": max_lag,
            **changes,
        }
        api = create_app(load_settings(**changed))
        tenant_id = make_caller(app).tenant_id
        made = Site(api, Caller(api, tenant_id, make_key(tenant_id)))
        replica.catch_up()
        made.wait_for("ok", "behind")
        return made

    return make
