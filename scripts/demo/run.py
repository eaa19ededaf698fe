"""One run: images into S3, people enrolled, photographs identified, the webhook verified."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from scripts.demo.client import DemoClient
from scripts.demo.photos import Photo, Plan
from scripts.demo.place import Place
from scripts.demo.receiver import listening
from scripts.importing.client import JobView
from scripts.importing.progress import shown
from scripts.stack.failures import StackError

_ITEMS_A_JOB = 1000
_UPLOADS_AT_ONCE = 4
_LOOK_SECONDS = 0.25
WEBHOOK_SECONDS = 20.0


@dataclass
class Outcome:
    """What a run found out."""

    plan: Plan
    rule: str
    enrolled: list[dict[str, Any]]
    identified: list[dict[str, Any]]
    first_result: float = 0.0
    # The verified event of the last job; none came in time when there is none.
    event: dict[str, Any] | None = None


class Run:
    """The demo's run against a FaceQueue that is up."""

    def __init__(self, place: Place, console: Console) -> None:
        self._console = console
        self._place = place
        self._api = DemoClient(place.url, place.api_key)
        self._stored: dict[str, dict[str, Any]] = {}

    def go(self, plan: Plan) -> Outcome:
        """Run the plan through the public API."""
        self._upload((*plan.enrol, *plan.identify))
        collection = self._api.fresh_collection(plan.title)
        outcome = Outcome(plan, _rule(self._api.collection(collection)), [], [])
        with (
            listening(self._place.receiver_port, self._place.receiver_host) as receiver,
            self._api.registered(receiver.url) as (endpoint, secret),
        ):
            receiver.secret = secret
            common = {"collection_id": collection, "webhook_endpoint_id": endpoint}
            for _, items in self._process("enrol", plan.enrol, common):
                outcome.enrolled += items
            jobs: list[str] = []
            for job_id, items in self._process("identify", plan.identify, common):
                outcome.first_result = outcome.first_result or time.time()
                outcome.identified += items
                jobs.append(job_id)
            outcome.event = receiver.wait_for(jobs[-1], WEBHOOK_SECONDS)
        return outcome

    def _upload(self, photos: Sequence[Photo]) -> None:
        with ThreadPoolExecutor(_UPLOADS_AT_ONCE) as pool:
            stored = pool.map(self._place.put, photos)
            self._stored = {photo.name: what for photo, what in zip(photos, stored, strict=True)}

    def _process(
        self, operation: str, photos: Sequence[Photo], common: dict[str, Any]
    ) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        self._console.print(f"{operation.capitalize()}: {len(photos)} photographs")
        with shown(self._console, len(photos)) as progress:
            for start in range(0, len(photos), _ITEMS_A_JOB):
                chunk = photos[start : start + _ITEMS_A_JOB]
                items = [self._item(operation, photo) for photo in chunk]
                job = self._api.start(operation, items=items, **common)
                while not job.ended:
                    time.sleep(_LOOK_SECONDS)
                    job = self._api.job(job.id)
                    progress.advance(len(photos) - start - job.closed_items)
                _refuse_unfinished(job)
                yield job.id, list(self._api.results(job.id))

    def _item(self, operation: str, photo: Photo) -> dict[str, Any]:
        item = {"custom_id": photo.name, **self._stored[photo.name]}
        return {**item, "subject": photo.person} if operation == "enrol" else item


def _refuse_unfinished(job: JobView) -> None:
    if job.state != "succeeded":
        raise StackError(
            f"Job {job.id} ended as {job.state}. ./scripts/quickstart.sh logs may say why."
        )


def _rule(collection: dict[str, Any]) -> str:
    if collection.get("target_fpir") is not None:
        return f"a stranger may be named in {collection['target_fpir']:.2%} of the searches"
    if collection.get("threshold") is not None:
        return f"a match needs a similarity of {collection['threshold']:g}"
    return "a match needs the model's default similarity"
