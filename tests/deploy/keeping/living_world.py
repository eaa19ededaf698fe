"""A tenant at work: people with faces, a job half done, and what a search finds."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from uuid import UUID

from app.database.transactions import tenant_transaction
from app.domain.job_request import ItemRequest
from app.domain.lease import ShardRef
from app.domain.names import Scope
from app.domain.states import Operation
from app.models.collection import Collection
from app.models.subject import Subject
from app.services.gallery.search import nearest_subjects
from app.services.gallery.vectors import add_faces
from app.services.leases.begin_shard import begin_shard
from app.services.leases.lease_shards import free_dead_predecessors, lease_shard
from tests.factories.galleries import DIMENSIONS, make_collection, make_subject, new_face
from tests.factories.tenant_world import TenantWorld
from tests.factories.tenants import make_key
from tests.factories.worker_steps import ME, begun, found, store

_PEOPLE = 20
_FACES_A_PERSON = 3

# Whoever comes again under the same name and process id is not who held the lease.
SUCCESSOR = ME


@dataclass
class LivingWorld:
    """Made in an installation's application; `answers` asks the same questions at any time."""

    world: TenantWorld
    collection: Collection
    people: list[Subject]
    job_id: UUID
    key: str
    probes: list[list[float]] = field(default_factory=list)

    @classmethod
    def create(cls) -> LivingWorld:
        world = TenantWorld.create()
        collection = make_collection(world.tenant_id)
        people = [make_subject(collection) for _ in range(_PEOPLE)]
        draw = random.Random(collection.id.int)  # noqa: S311 - vectors of a test
        faces = [
            new_face(collection, person, embedding=_unit(draw))
            for person in people
            for _ in range(_FACES_A_PERSON)
        ]
        with tenant_transaction(world.tenant_id) as session:
            add_faces(session, world.tenant_id, faces)
        items = [ItemRequest(f"i{number}", world.uri(f"{number}.jpg")) for number in range(300)]
        job_id = world.submit(Operation.DETECT, *items)
        store(begun(ShardRef(job_id, 0)), *found(*range(10)))
        key = make_key(world.tenant_id, Scope.JOBS_READ)
        return cls(world, collection, people, job_id, key, [_unit(draw) for _ in range(5)])

    @property
    def tenant_id(self) -> UUID:
        return self.world.tenant_id

    def answers(self) -> dict[str, object]:
        """What the system says: whom searches find, how far the job is."""
        with tenant_transaction(self.tenant_id) as session:
            collection = session.get_one(Collection, self.collection.id)
            nearest = nearest_subjects(session, collection, self.probes, 5).nearest
        job = self.world.job(self.job_id)
        return {
            "searches": [
                [(each.subject_id, round(each.similarity, 5)) for each in found]
                for found in nearest
            ],
            "faces": collection.face_count,
            "job": (job.state, job.total_items, job.open_items, job.succeeded_items),
        }

    def found_people(self) -> set[UUID | None]:
        """Everybody whom a wide search finds."""
        with tenant_transaction(self.tenant_id) as session:
            collection = session.get_one(Collection, self.collection.id)
            found = nearest_subjects(session, collection, self.probes[:1], 100).nearest[0]
        return {each.subject_id for each in found}

    def finish_job(self) -> str:
        """Do what is left of the job, as the worker's successor does; its last state."""
        free_dead_predecessors(SUCCESSOR)
        for shard in self.world.shards(self.job_id):
            if lease := lease_shard(ShardRef(self.job_id, shard.shard_no), SUCCESSOR, 30):
                work = begin_shard(lease)
                assert work is not None
                store(lease, *found(*(item.seq for item in work.items)))
        return self.world.job(self.job_id).state


def _unit(draw: random.Random) -> list[float]:
    vector = [draw.gauss(0, 1) for _ in range(DIMENSIONS)]
    length = sum(value * value for value in vector) ** 0.5
    return [value / length for value in vector]
