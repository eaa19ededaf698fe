"""What is stored together: outcomes of one tenant's shards, by the jobs that they belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.job_options import JobOptions
from app.domain.lease import Lease
from app.domain.outcomes import ItemOutcome
from app.domain.states import JobState, Operation
from app.models.collection import Collection
from app.models.job import Job

ItemKey = tuple[UUID, int]
FaceKey = tuple[UUID, int, int]


@dataclass(frozen=True)
class ShardResults:
    """A part of one leased shard that was recognised together."""

    lease: Lease
    outcomes: tuple[ItemOutcome, ...]


class ShardFate(StrEnum):
    """What a worker does with a shard whose results it handed over."""

    GOES_ON = "goes on"
    ENDED = "ended"
    LOST = "lost"


class CountedJob(NamedTuple):
    """A job whose counters a batch has just moved."""

    id: UUID
    state: JobState
    open_items: int


@dataclass(frozen=True)
class JobBatch:
    """The outcomes of one job in a batch, by item number, and what the job wants of them."""

    job: Job
    collection: Collection | None
    outcomes: Mapping[int, ItemOutcome] = field(default_factory=dict)

    @property
    def operation(self) -> Operation:
        """What the job does with its images."""
        return Operation(self.job.operation)

    @cached_property
    def options(self) -> JobOptions:
        """How the client wants it done."""
        return JobOptions.from_json(self.job.options)

    @property
    def homeless(self) -> bool:
        """Whether the collection that the job needs is not there any more."""
        return self.job.collection_id is not None and self.collection is None


def load_batches(session: Session, results: Sequence[ShardResults]) -> list[JobBatch]:
    """The jobs of these results with their collections, in id order; two statements at most."""
    outcomes: dict[UUID, dict[int, ItemOutcome]] = defaultdict(dict)
    for result in results:
        outcomes[result.lease.shard.job_id] |= {o.seq: o for o in result.outcomes}
    jobs = session.scalars(select(Job).where(Job.id.in_(outcomes)).order_by(Job.id)).all()
    wanted = {job.collection_id for job in jobs if job.collection_id}
    collections: dict[UUID, Collection] = {}
    if wanted:
        found = session.scalars(select(Collection).where(Collection.id.in_(wanted)))
        collections = {collection.id: collection for collection in found}
    return [
        JobBatch(
            job, collections.get(job.collection_id) if job.collection_id else None, outcomes[job.id]
        )
        for job in jobs
    ]
