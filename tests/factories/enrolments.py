"""Enrolments whose worker the test plays: what was seen in each picture is a matter of its seed."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from app.api.result_view import result_view
from app.domain.actor import SYSTEM
from app.domain.job_options import JobOptions
from app.domain.job_request import ItemRequest
from app.domain.lease import ShardRef
from app.domain.outcomes import FoundImage, ItemOutcome
from app.domain.states import Operation
from app.services.jobs.read_results import read_results_page
from tests.factories.outcomes import outcome
from tests.factories.tenant_world import TenantWorld
from tests.factories.worker_steps import begun, store

# No running worker serves it.
PARKED = "SFace@parked"
_NOBODY_SHOWN = sha256(b"nobody").digest()


@dataclass(frozen=True)
class Shown:
    """A picture of a person, as the client says; without a seed, nobody's face is found in it."""

    subject: str | None
    seed: int | None
    place: str | None = None


@dataclass(frozen=True)
class Enroller:
    """A client who enrols in one collection and searches it."""

    world: TenantWorld
    collection: UUID

    @classmethod
    def create(cls) -> Enroller:
        """A new tenant with a collection."""
        world = TenantWorld.create()
        return cls(world, world.collection(model=PARKED, space=PARKED))

    def enrol(self, *shown: Shown, **options: Any) -> list[dict[str, Any]]:
        """The items of a job, as a client reads them."""
        job_id = self.submit(*shown, **options)
        self.work(job_id, *shown)
        return self.read(job_id)

    def enrol_one(
        self, subject: str | None, seed: int | None, place: str | None = None, **options: Any
    ) -> dict[str, Any]:
        """The one item of a job."""
        (item,) = self.enrol(Shown(subject, seed, place), **options)
        return item

    def submit(self, *shown: Shown, **options: Any) -> UUID:
        """A job that is still to be worked at."""
        if all(each.subject is None for each in shown):
            options["enrol_faces"] = "all"
        items = (
            ItemRequest(
                str(number),
                self.world.uri(each.place or f"picture-{each.seed}.jpg"),
                subject=each.subject,
            )
            for number, each in enumerate(shown)
        )
        return self.world.submit(
            Operation.ENROL, *items, collection_id=self.collection, options=JobOptions(**options)
        )

    def work(self, job_id: UUID, *shown: Shown) -> None:
        """Hand over what a worker would have found, in one batch."""
        found = (
            ItemOutcome(seq, FoundImage(_NOBODY_SHOWN, 200, 200))
            if each.seed is None
            else outcome(seq, each.seed)
            for seq, each in enumerate(shown)
        )
        store(begun(ShardRef(job_id, 0)), *found)

    def read(self, job_id: UUID) -> list[dict[str, Any]]:
        """A job's items, as a client reads them."""
        tenant_id = self.world.tenant_id
        job, items = read_results_page(tenant_id, job_id, SYSTEM, limit=100, after=None)
        return [result_view(job, item) for item in items]

    def who_is(self, seed: int) -> str | None:
        """Whom a search names for the face of a picture."""
        job_id = self.world.submit(
            Operation.IDENTIFY,
            ItemRequest("probe", self.world.uri("probe.jpg")),
            collection_id=self.collection,
        )
        store(begun(ShardRef(job_id, 0)), outcome(0, seed))
        ((face,),) = (item["faces"] for item in self.read(job_id))
        name: str | None = face["matches"][0]["subject"] if face["decision"] == "match" else None
        return name

    def subject(self, name: str) -> UUID:
        """Our id of a person."""
        query = "SELECT id FROM subjects WHERE collection_id = :id AND external_id = :name"
        ((subject_id,),) = self.world.query(query, id=self.collection, name=name)
        return UUID(str(subject_id))

    def faces_of(self, name: str) -> list[str]:
        """The ids of a person's faces, oldest first."""
        query = "SELECT id FROM faces WHERE subject_id = :id ORDER BY id"
        return [str(row.id) for row in self.world.query(query, id=self.subject(name))]

    @property
    def face_count(self) -> int:
        """How many faces the collection says that it has, which must be how many there are."""
        query = "SELECT face_count FROM collections WHERE id = :id"
        ((counted,),) = self.world.query(query, id=self.collection)
        query = "SELECT count(*) FROM faces WHERE collection_id = :id"
        ((there,),) = self.world.query(query, id=self.collection)
        assert counted == there
        return int(counted)

    def events(self, action: str) -> list[dict[str, Any]]:
        """The details of the audit events of a kind, oldest first."""
        query = "SELECT detail FROM audit_events WHERE action = :action ORDER BY id"
        return [row.detail for row in self.world.query(query, action=action)]
