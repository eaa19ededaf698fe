"""What a run submits: drawn from a seed, so that two runs of it must come to the same results."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from scripts.bench.trial import images
from scripts.bench.trial.images import Picture
from scripts.bench.trial.stack import TrialStack
from scripts.stack import object_store
from scripts.stack.environment import BUCKET

# Items of a job, and how often: mostly small. The large ones have several shards.
_SIZES = ((1, 1, 70), (2, 4, 22), (5, 12, 6), (13, 40, 2))
# Of a hundred items, so many are no picture of one person.
_ODD: tuple[tuple[Callable[[random.Random], Picture], int], ...] = (
    (images.nobody, 2),
    (images.two_people, 2),
    (images.not_an_image, 1),
)
_MISSING_PERCENT = 1
_PREFIX = "trial"

GALLERY = "gallery"
# Enrolments go elsewhere, so that what `identify` finds does not depend on who was first.
TARGETS = ("visitors", "staff", "guests")


@dataclass(frozen=True)
class PlannedItem:
    """One image of a job."""

    custom_id: str
    key: str
    subject: str | None = None

    def body(self) -> dict[str, Any]:
        """The item as the API takes it."""
        item = {"custom_id": self.custom_id, "image": f"s3://{BUCKET}/{self.key}"}
        return item | ({"subject": self.subject} if self.subject else {})


@dataclass(frozen=True)
class PlannedJob:
    """One job; `name` is also its Idempotency-Key."""

    name: str
    operation: str
    collection: str | None
    items: tuple[PlannedItem, ...]


@dataclass(frozen=True)
class Workload:
    """The jobs of a run and the objects that they read."""

    jobs: tuple[PlannedJob, ...]
    objects: dict[str, bytes]

    @property
    def item_count(self) -> int:
        """Items of all jobs."""
        return sum(len(job.items) for job in self.jobs)


def draw_workload(seed: int, jobs: int) -> Workload:
    """Half `detect`, a quarter `enrol`, a quarter `identify`, in random order and sizes."""
    rng = random.Random(seed)  # noqa: S311 - a trial must be repeatable, not unguessable
    operations = [_OPERATIONS[number % len(_OPERATIONS)] for number in range(jobs)]
    rng.shuffle(operations)
    objects: dict[str, bytes] = {}
    planned = tuple(
        _draw_job(rng, f"job-{seed}-{number}", operation, objects)
        for number, operation in enumerate(operations)
    )
    if len(set(objects.values())) != len(objects):
        raise ValueError("two images of the workload are the same")
    return Workload(planned, objects)


_OPERATIONS = ("detect", "enrol", "detect", "identify")


def _draw_job(
    rng: random.Random, name: str, operation: str, objects: dict[str, bytes]
) -> PlannedJob:
    low, high, _ = rng.choices(_SIZES, weights=[size[2] for size in _SIZES])[0]
    items = []
    for number in range(rng.randint(low, high)):
        key = f"{_PREFIX}/{name}/{number}"
        if rng.randrange(100) >= _MISSING_PERCENT:
            objects[key] = _draw_picture(rng).content
        subject = f"person-{rng.randrange(40)}" if operation == "enrol" else None
        items.append(PlannedItem(f"{name}-{number}", key, subject))
    collection = {"enrol": rng.choice(TARGETS), "identify": GALLERY}.get(operation)
    return PlannedJob(name, operation, collection, tuple(items))


def _draw_picture(rng: random.Random) -> Picture:
    lot = rng.randrange(100)
    for make, percent in _ODD:
        if lot < percent:
            return make(rng)
        lot -= percent
    return images.variation(rng)


def gallery_job() -> tuple[PlannedJob, dict[str, bytes]]:
    """The enrolment of known people that both runs begin with, before anything is killed."""
    people = [person for person in images.PEOPLE if person != "hopper"]
    objects = {f"{_PREFIX}/gallery/{name}": images.original(name).content for name in people}
    items = tuple(PlannedItem(name, f"{_PREFIX}/gallery/{name}", name) for name in people)
    return PlannedJob("gallery", "enrol", GALLERY, items), objects


def upload(stack: TrialStack, objects: dict[str, bytes]) -> None:
    """Put objects into the stack's bucket."""
    s3 = object_store.client(stack.state)
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda entry: s3.put_object(Bucket=BUCKET, Key=entry[0], Body=entry[1]),
                objects.items(),
            )
        )
