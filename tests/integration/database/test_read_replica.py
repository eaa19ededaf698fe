"""What a streaming replica answers, what the primary, and what becomes of a replica in trouble."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest
import requests
from flask import Flask
from sqlalchemy import text
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
from tests.integration.database.conftest import Site, SiteMaker, replica_url
from tests.support.processes import Processes, wait_until
from tests.support.replica import StreamingReplica, streaming_replica
from tests.support.served_api import started_api

pytestmark = [
    *(pytest.mark.stack, pytest.mark.slow, pytest.mark.xdist_group("read-replica")),
    pytest.mark.usefixtures("nobody_works"),
]

PATIENT, STRICT = 300, 1


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


def test_a_read_that_a_replica_does_not_answer_any_more_is_cut_off_and_read_from_the_primary(
    site: SiteMaker, replica: StreamingReplica
) -> None:
    here = site(PATIENT, database_replica_read_seconds="1")
    asked = []

    def freezing(session: Session) -> str:
        on_replica = session.execute(text("SELECT pg_is_in_recovery()")).scalar_one()
        asked.append(on_replica)
        if on_replica:
            replica.freeze()
        return str(session.execute(text("SELECT 'answered'")).scalar_one())

    def read() -> str:
        with here.app.app_context():
            return RecentReads(current_replica()).read(here.writer.tenant_id, freezing)

    with ThreadPoolExecutor(1) as reader:
        try:
            assert reader.submit(read).result(timeout=20) == "answered"
        finally:
            replica.thaw()
    assert asked == [True, False]
    here.wait_for("ok")


def test_an_api_that_serves_is_not_held_up_by_a_replica_that_stands_still(
    app: Flask, settings: Settings, replica: StreamingReplica, programs: Processes
) -> None:
    caller = make_caller(app)
    name = make_collection(caller.tenant_id).name
    own = {
        "DATABASE_REPLICA_URL": replica_url(settings, replica),
        "DATABASE_REPLICA_READ_SECONDS": "1",
    }
    replica.catch_up()
    with started_api(replace(programs, environment=programs.environment | own), "cut") as api:
        url, key = f"http://{api.address}", {"Authorization": f"Bearer {caller.key}"}

        def is_used() -> bool:
            checks = requests.get(f"{url}/health/ready/", timeout=20).json()["checks"]
            return bool(checks["replica"]["status"] == "ok")

        def names(_: int) -> list[str]:
            answer = requests.get(f"{url}/api/v1/collections", headers=key, timeout=20)
            return [row["name"] for row in answer.json()["data"]]

        wait_until(is_used, what="an API that uses the replica")
        assert names(0) == [name]
        replica.freeze()
        # One has the connection that is there, the other makes one.
        with ThreadPoolExecutor(2) as readers:
            assert list(readers.map(names, range(2))) == [[name], [name]]


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
