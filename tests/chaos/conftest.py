"""Workers with short leases, behind a gate through which they read S3."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask, current_app

from app.adapters.s3 import ObjectStore
from app.domain.job_request import ItemRequest
from app.domain.states import JobState, Operation
from app.domain.storage import ObjectLocation
from app.models.job import Job, Shard
from scripts.bench.killing.cut_file import VARIABLE
from scripts.bench.killing.handicaps import with_dying_dispatcher
from scripts.bench.trial import images
from scripts.stack import application
from scripts.stack.programs import Program
from scripts.stack.state import State
from tests.chaos.gate import Gate, open_gate
from tests.factories.tenant_world import TenantWorld
from tests.support.emptying import truncate
from tests.support.processes import Processes, wait_until

LEASE_S = 3.0
HINT_S = 2.0
# The pipeline's batch: results are committed in steps of so many.
BATCH = 32


@dataclass
class Battlefield:
    """A tenant, its images behind the gate, and real processes to kill."""

    world: TenantWorld
    gate: Gate
    programs: Processes
    cut_file: Path

    def photos(self, count: int) -> list[str]:
        """URIs of different small pictures of one face each, named `<number>.jpg`."""
        rng = random.Random(count)  # noqa: S311 - pictures, not secrets
        store = ObjectStore.from_settings(current_app.config["SETTINGS"])
        uris = [self.world.uri(f"{number}.jpg") for number in range(count)]
        for uri in uris:
            picture = images.small_face(rng).content
            store.write(ObjectLocation.parse(uri), picture, "image/jpeg")
        return uris

    def submit(self, count: int, operation: Operation = Operation.DETECT, **fields: object) -> UUID:
        subject = "someone" if operation is Operation.ENROL else None
        items = [
            ItemRequest(str(number), uri, subject=subject)
            for number, uri in enumerate(self.photos(count))
        ]
        return self.world.submit(operation, *items, **fields)

    def start(self, *names: str) -> None:
        for name in names:
            if not self.programs.alive(name):
                self.programs.start(name)

    def shard(self, job_id: UUID) -> Shard:
        (shard,) = self.world.shards(job_id)
        return shard

    def open_items(self, job_id: UUID) -> int:
        return self.world.job(job_id).open_items

    def wait_before(self, name: str, job_id: UUID, open_items: int) -> None:
        """Until a worker stands before the held image and so many items are open."""
        wait_until(
            lambda: self.gate.is_waiting(name) and self.open_items(job_id) == open_items,
            what=f"a worker waiting for {name} with {open_items} items open",
        )

    def assert_whole(self, job_id: UUID) -> Job:
        """The job ended, and each item of it has one result with one face."""
        job = self.world.finished(job_id, 60)
        items = self.world.items(job_id)
        assert (job.state, job.succeeded_items) == (JobState.SUCCEEDED, len(items))
        assert {item.state for item in items.values()} == {"succeeded"}
        rows = self.world.query(
            "SELECT count(*) AS n FROM detections WHERE job_id = :job_id", job_id=job_id
        )
        assert rows[0].n == len(items)
        return job

    def logged(self, name: str, words: str) -> bool:
        return words in self.programs.log(name).read_text(errors="replace")


@pytest.fixture(scope="session")
def _gate(services: State) -> Iterator[Gate]:
    with open_gate(f"http://127.0.0.1:{services.ports['s3']}") as gate:
        yield gate


@pytest.fixture(scope="module")
def _brisk(
    request: pytest.FixtureRequest,
    services: State,
    stack_environment: dict[str, str],
    programs: Processes,
    models_dir: Path,
    _app: Flask,
    _gate: Gate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Processes, Path]]:
    """Processes with short leases and hints; those of other tests are ended first.

    A module that must not lose a lease to a slow machine sets LEASE_S itself.
    """
    del models_dir
    programs.stop_all()
    folder = tmp_path_factory.mktemp("chaos")
    environment = {
        **stack_environment,
        "AWS_ENDPOINT_URL_S3": _gate.url,
        "LEASE_SECONDS": str(getattr(request.module, "LEASE_S", LEASE_S)),
        "HINT_SECONDS": str(HINT_S),
        VARIABLE: str(folder / "cut"),
    }
    _empty(_app)
    started = Processes(_variants(services), environment, folder)
    yield started, folder / "cut"
    started.stop_all()


# A change of the schedule is seen within a second.
_QUICK = ("--max-interval", "1")


def _variants(services: State) -> dict[str, Program]:
    """The stack's programs, a second recognition worker, a second beat, a mortal dispatcher."""
    found = {program.name: program for program in application.programs(services)}
    dying = with_dying_dispatcher(services, found["dispatcher"])
    # The file by which it is told to die is this module's own.
    dying = replace(dying, name="dying-dispatcher", environment={})
    second = [word.replace("recognition@", "second@") for word in found["recognition"].command]
    return found | {
        "dying-dispatcher": dying,
        "second": replace(found["recognition"], name="second", command=tuple(second)),
        "standby-dispatcher": replace(found["dispatcher"], name="standby-dispatcher"),
        "beat": replace(found["beat"], command=(*found["beat"].command, *_QUICK)),
        "second-beat": replace(found["beat"], command=(*found["beat"].command, *_QUICK)),
    }


def _empty(app: Flask) -> None:
    tables = "jobs, items, shards, detections, webhook_deliveries, dead_letters, workers"
    with app.app_context():
        truncate(f"{tables}, source_pauses")


@pytest.fixture
def field(app: Flask, _brisk: tuple[Processes, Path], _gate: Gate) -> Iterator[Battlefield]:
    """A recognition worker and a dispatcher that run, and a new tenant."""
    del app
    started, cut_file = _brisk
    battlefield = Battlefield(TenantWorld.create(), _gate, started, cut_file)
    battlefield.start("recognition", "dispatcher")
    yield battlefield
    if started.alive("second"):
        started.kill("second")
    _gate.reset()
