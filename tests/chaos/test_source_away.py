"""Buckets that do not answer for a while: their images wait, and nothing else does."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from app.adapters.s3 import ObjectStore
from app.database.transactions import owner_transaction
from app.domain.job_request import ItemRequest
from app.domain.states import JobState, Operation
from app.domain.storage import ObjectLocation
from app.services.leases.pause_source import known_pauses
from app.services.tenancy.storage_places import allow_location
from scripts.stack import application, object_store
from scripts.stack.ports import choose_ports
from scripts.stack.state import State, prepare_state
from tests.chaos.conftest import Battlefield
from tests.factories.tenant_world import TenantWorld
from tests.support.processes import Processes, wait_until

pytestmark = [pytest.mark.stack, pytest.mark.slow]

# A machine that is busy with a server's start must not cost a worker its lease.
LEASE_S = 30.0
PORTRAIT = "obama.jpg"


@dataclass
class Server:
    """An S3 server of a test's own, on the same port at each start."""

    state: State
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        program = object_store.program(self.state)
        with (self.state.folder / "s3.log").open("ab") as log:
            self.running.append(
                subprocess.Popen(  # noqa: S603 - the stack's own server
                    program.command,
                    env={"PATH": os.environ["PATH"], **program.environment},
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )

    def wait(self) -> None:
        wait_until(lambda: object_store.is_ready(self.state), seconds=60, what="the S3 server")

    def kill(self) -> None:
        process = self.running.pop()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.state.ports['s3']}"


@pytest.fixture
def server(services: State, tmp_path: Path) -> Iterator[Server]:
    state = prepare_state(tmp_path / "own")
    choose_ports(state)
    for name in ("s3_access_key", "s3_secret_key"):
        state.secrets[name] = services.secrets[name]
    object_store.prepare(state)
    server = Server(state)
    with ExitStack() as ended:
        ended.callback(lambda: [server.kill() for _ in list(server.running)])
        server.start()
        server.wait()
        yield server


@pytest.fixture
def on_server(
    app: Flask,
    field: Battlefield,
    services: State,
    stack_environment: dict[str, str],
    server: Server,
    tmp_path: Path,
) -> Iterator[Processes]:
    """A worker and a dispatcher that read from the test's own server."""
    del app
    field.programs.stop_all()
    (folder := tmp_path / "log").mkdir()
    programs = {program.name: program for program in application.programs(services)}
    environment = {**stack_environment, "AWS_ENDPOINT_URL_S3": server.url}
    started = Processes(programs, environment, folder)
    started.ensure("recognition", "dispatcher")
    yield started
    started.stop_all()


@pytest.fixture(autouse=True)
def _no_pauses(app: Flask) -> Iterator[None]:
    del app
    yield
    with owner_transaction() as session:
        session.execute(text("DELETE FROM source_pauses"))


@pytest.mark.usefixtures("on_server")
def test_images_outlast_an_s3_server_that_is_killed_and_started_again_amid_their_job(
    app: Flask, field: Battlefield, server: Server, portraits: Path
) -> None:
    own = app.config["SETTINGS"].model_copy(update={"aws_endpoint_url_s3": server.url})
    object_store.make_bucket(object_store.client(server.state), field.world.bucket)
    store, picture = ObjectStore.from_settings(own), (portraits / PORTRAIT).read_bytes()
    items = [ItemRequest(str(n), field.world.uri(f"{n}.jpg")) for n in range(192)]
    for item in items:
        store.write(ObjectLocation.parse(str(item.image)), picture, "image/jpeg")
    job_id = field.world.submit(Operation.DETECT, *items)
    wait_until(lambda: 0 < field.open_items(job_id) < 192, what="the job's first results")

    server.kill()
    wait_until(lambda: field.world.bucket in known_pauses(), seconds=60, what="a pause")
    wait_until(
        lambda: known_pauses()[field.world.bucket].failures > 1, seconds=60, what="another pause"
    )
    assert field.world.job(job_id).failed_items == 0
    server.start()
    server.wait()

    job = field.world.finished(job_id, 120)
    assert (job.state, job.succeeded_items) == (JobState.SUCCEEDED, 192)
    assert all(shard.attempt_count == 0 for shard in field.world.shards(job_id))
    assert known_pauses() == {}


@pytest.fixture
def cut_bucket(field: Battlefield, services: State, slot: int) -> str:
    """A second bucket of the tenant's, that does not answer."""
    bucket = f"cut-{slot}"
    object_store.make_bucket(object_store.client(services), bucket)
    allow_location(field.world.tenant_id, ObjectLocation(bucket, ""))
    field.gate.cut(bucket)
    return bucket


@pytest.mark.parametrize("operation", [Operation.VERIFY, Operation.ENROL])
def test_a_bucket_that_does_not_answer_holds_up_its_own_images_alone(
    field: Battlefield, services: State, cut_bucket: str, portraits: Path, operation: Operation
) -> None:
    world, picture = field.world, (portraits / PORTRAIT).read_bytes()
    here = world.put("here.jpg", picture)
    object_store.client(services).put_object(Bucket=cut_bucket, Key="a.jpg", Body=picture)
    away = f"s3://{cut_bucket}/a.jpg"
    waits = _submit(world, operation, here, away)
    wait_until(lambda: cut_bucket in known_pauses(), what="the pause of the bucket")

    goes_on = world.run(Operation.DETECT, ItemRequest("a", here))

    assert goes_on.succeeded_items == 1
    wait_until(lambda: world.job(waits).open_items == 1, what="the result of the item at hand")
    assert world.items(waits)["here"].state == "succeeded"

    field.gate.mend(cut_bucket)
    job = world.finished(waits, 60)
    assert (job.state, job.succeeded_items) == (JobState.SUCCEEDED, 2)


def _submit(world: TenantWorld, operation: Operation, here: str, away: str) -> UUID:
    """Two items: all that one needs is here, a part of the other away."""
    if operation is Operation.VERIFY:
        items = [
            ItemRequest("here", here, reference=here),
            ItemRequest("away", here, reference=away),
        ]
        return world.submit(operation, *items)
    items = [ItemRequest("here", here, subject="x"), ItemRequest("away", away, subject="y")]
    return world.submit(operation, *items, collection_id=world.collection())
