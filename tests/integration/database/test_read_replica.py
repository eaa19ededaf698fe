"""What a streaming replica answers, what the primary, and what becomes of a replica in trouble."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import make_url, text
from sqlalchemy.orm import Session

from app import create_app
from app.config import Settings, load_settings
from app.database.recent_reads import RecentReads
from app.database.replica import current_replica
from app.database.transactions import owner_transaction
from app.domain.identifiers import new_id
from scripts.stack.environment import HOST
from scripts.stack.state import State
from tests.factories.callers import Caller, make_caller
from tests.factories.galleries import make_collection
from tests.factories.jobs import PLACE, close_item, make_job
from tests.factories.tenants import make_key
from tests.support.processes import wait_until
from tests.support.replica import StreamingReplica, streaming_replica

pytestmark = [
    *(pytest.mark.stack, pytest.mark.slow, pytest.mark.xdist_group("read-replica")),
    pytest.mark.usefixtures("nobody_works"),
]

PATIENT, STRICT = 300, 1


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


def test_a_list_is_read_from_the_replica_and_with_no_cache_from_the_primary(
    site: SiteMaker, replica: StreamingReplica
) -> None:
    here = site(PATIENT)
    old = make_collection(here.writer.tenant_id).name
    replica.hold_back()
    new = make_collection(here.writer.tenant_id).name

    assert here.names(here.reader) == {old}
    assert here.names(here.reader, **{"Cache-Control": "no-cache"}) == {old, new}


def test_a_key_sees_what_it_has_written_and_is_then_answered_by_the_replica_again(
    site: SiteMaker, replica: StreamingReplica
) -> None:
    here = site(PATIENT)
    replica.hold_back()

    assert here.writer.post("/collections", json={"name": "mine"}).status_code == 201

    assert here.names(here.writer) == {"mine"}
    assert here.names(here.reader) == set()

    replica.go_on()
    replica.hold_back()
    make_collection(here.writer.tenant_id)
    assert here.names(here.writer) == {"mine"}


def test_a_job_is_found_by_any_key_as_soon_as_it_was_submitted(
    site: SiteMaker, replica: StreamingReplica
) -> None:
    here = site(PATIENT)
    reader = here.reader
    replica.hold_back()

    job = here.writer.post(
        "/jobs",
        json={"operation": "detect", "items": [{"custom_id": "a", "image": f"{PLACE}1.jpg"}]},
    ).get_json()

    assert reader.get(f"/jobs/{job['id']}").status_code == 200
    assert reader.get(f"/jobs/{job['id']}/items").status_code == 200


def test_a_list_within_what_the_replica_does_not_know_is_no_404(
    site: SiteMaker, replica: StreamingReplica
) -> None:
    here = site(PATIENT)
    reader = here.reader
    replica.hold_back()
    collection = make_collection(here.writer.tenant_id)

    assert reader.get(f"/collections/{collection.id}/subjects").status_code == 200
    assert reader.get(f"/collections/{new_id()}/subjects").status_code == 404


@pytest.mark.parametrize("path", ["items", "results.jsonl"])
def test_results_are_the_replicas_once_it_knows_the_end_of_the_job(
    site: SiteMaker, replica: StreamingReplica, path: str
) -> None:
    here = site(PATIENT)
    reader = here.reader
    ended, ending, open_ = (make_job(here.writer.tenant_id, items=n) for n in (1, 1, 2))
    close_item(ended, 0)
    replica.hold_back()
    rename_engine(ended, "only the primary's")
    close_item(ending, 0)
    close_item(open_, 0)

    def shown(job_id: UUID) -> str:
        return reader.get(f"/jobs/{job_id}/{path}").get_data(as_text=True)

    assert "only the primary's" not in shown(ended)
    assert '"succeeded"' in shown(ending)
    assert '"succeeded"' in shown(open_)


def test_a_tenant_sees_no_rows_of_another_on_the_replica(
    site: SiteMaker, app: Flask, replica: StreamingReplica
) -> None:
    here = site(PATIENT)
    ours = make_collection(here.writer.tenant_id).name
    make_collection(make_caller(app).tenant_id)
    replica.catch_up()

    def all_names(session: Session) -> set[str]:
        assert session.execute(text("SELECT pg_is_in_recovery()")).scalar_one()
        return set(session.scalars(text("SELECT name FROM collections")))

    with here.app.app_context():
        reads = RecentReads(current_replica())
        assert reads.try_replica(here.writer.tenant_id, all_names) == {ours}


def test_a_read_that_fails_on_the_replica_is_answered_by_the_primary(site: SiteMaker) -> None:
    here = site(PATIENT)
    asked = []

    def breaking(session: Session) -> str:
        on_replica = session.execute(text("SELECT pg_is_in_recovery()")).scalar_one()
        asked.append(on_replica)
        if on_replica:
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return "answered"

    with here.app.app_context():
        assert RecentReads(current_replica()).read(here.writer.tenant_id, breaking) == "answered"
    assert asked == [True, False]


def test_a_replica_too_far_behind_is_not_read_until_it_has_caught_up(
    site: SiteMaker, replica: StreamingReplica
) -> None:
    here = site(STRICT)
    replica.hold_back()
    old = make_collection(here.writer.tenant_id).name
    here.wait_for("degraded", "behind; the primary is read")
    new = make_collection(here.writer.tenant_id).name

    assert here.names(here.reader) == {old, new}
    assert gauge(here, "replica_up") == 0
    assert gauge(here, "replica_lag_seconds") > STRICT

    replica.go_on()
    here.wait_for("ok")
    assert gauge(here, "replica_up") == 1


def test_a_killed_replica_costs_no_answer_and_is_used_again_when_it_is_back(
    site: SiteMaker, replica: StreamingReplica
) -> None:
    here = site(PATIENT)
    here.names(here.reader)  # a pooled connection, which will be dead
    new = make_collection(here.writer.tenant_id).name
    replica.kill()

    started = time.monotonic()
    assert here.names(here.reader) == {new}
    assert time.monotonic() - started < 5
    here.wait_for("degraded", "does not answer")

    replica.start()
    here.wait_for("ok")


def test_a_replica_that_stands_still_is_noticed(site: SiteMaker, replica: StreamingReplica) -> None:
    here = site(PATIENT)
    new = make_collection(here.writer.tenant_id).name
    replica.freeze()
    here.wait_for("degraded", "does not answer")

    assert here.names(here.reader) == {new}


def test_without_redis_nobody_knows_who_wrote_and_the_primary_is_read(
    site: SiteMaker, replica: StreamingReplica
) -> None:
    here = site(PATIENT, cache_url=f"redis://{HOST}:1/0")
    replica.hold_back()
    new = make_collection(here.writer.tenant_id).name

    assert here.names(here.reader) == {new}


def test_a_role_that_row_level_security_does_not_bind_reads_nothing_there(
    app: Flask, settings: Settings, services: State, replica: StreamingReplica
) -> None:
    password = services.secrets["superuser_password"]
    url = replica_url(settings, replica, username="postgres", password=password)
    api = create_app(load_settings(database_replica_url=url))
    here = Site(api, Caller(api, make_caller(app).tenant_id, ""))

    here.wait_for("degraded", "row-level security does not bind the replica's role")


def test_a_promoted_replica_is_not_read(
    services: State, site: SiteMaker, settings: Settings
) -> None:
    del settings
    with streaming_replica(services) as promoted:
        here = site(PATIENT, replica=promoted)
        promoted.promote()
        here.wait_for("degraded", "promoted")
        new = make_collection(here.writer.tenant_id).name

        assert here.names(here.reader) == {new}


def gauge(site: Site, name: str) -> float:
    lines = site.app.test_client().get("/metrics").get_data(as_text=True).splitlines()
    (value,) = (line.split()[1] for line in lines if line.startswith(f"face_recognition_{name} "))
    return float(value)


def rename_engine(job_id: UUID, name: str) -> None:
    """Let the primary's results differ from what the replica has."""
    with owner_transaction() as session:
        session.execute(
            text("UPDATE items SET engine = :name WHERE job_id = :job_id"),
            {"name": name, "job_id": job_id},
        )
