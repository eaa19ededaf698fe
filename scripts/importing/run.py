"""The import itself: a few jobs in flight at a time, each submitted, watched and collected."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from scripts.importing.client import JobView
from scripts.importing.effects import effect_of
from scripts.importing.failures import ImportFault, Refused, Unreachable
from scripts.importing.ledger import Chunk, Ledger
from scripts.importing.plan import Plan
from scripts.importing.progress import Progress
from scripts.importing.set_aside import SetAside
from scripts.importing.storage import S3Object

_TRIES_TO_COLLECT = 3
_GONE = 404
_KEY_TAKEN = "idempotency_key_reused"


class JobsApi(Protocol):
    """What the import asks of FaceQueue."""

    def submit(self, body: Mapping[str, Any], idempotency_key: str) -> JobView:
        """Submits a job."""
        ...

    def job(self, job_id: str) -> JobView:
        """The job as it is now."""
        ...

    def results(self, job_id: str) -> Iterator[dict[str, Any]]:
        """The job's results."""
        ...


@dataclass
class _Flight:
    """A job under way and when to look at it next (seconds of the monotonic clock)."""

    chunk: Chunk
    job: JobView
    due: float


class Import:
    """One run of an import: `run` returns when every chunk is closed."""

    def __init__(
        self,
        api: JobsApi,
        ledger: Ledger,
        plan: Plan,
        progress: Progress,
        *,
        max_jobs: int = 4,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api = api
        self._ledger = ledger
        self._plan = plan
        self._progress = progress
        self._max_jobs = max_jobs
        self._now = now
        self._sleep = sleep
        self._set_aside = SetAside(ledger, progress)
        self._flights: list[_Flight] = []
        self._resumed: deque[Chunk] = deque()
        self._fresh: deque[Sequence[S3Object]] = deque()
        self._given_up = 0

    def run(self, waiting: Sequence[Sequence[S3Object]]) -> None:
        """Takes up what an earlier run left, then submits the waiting chunks, and sees all end.

        Raises:
            ImportFault: it cannot go on. The ledger holds what was done, and what the jobs under
                way still gave.
        """
        self._resumed.extend(self._ledger.open_chunks.values())
        self._fresh.extend(waiting)
        fault: ImportFault | None = None
        while self._resumed or self._fresh or self._flights:
            try:
                self._step()
            except ImportFault as error:
                fault = fault or error
                if error.ends_at_once:
                    raise fault from error
                self._submit_no_more(fault)
            self._progress.advance(self._remaining())
        if fault:
            raise fault
        self._set_aside.end()

    def _step(self) -> None:
        has_room = len(self._flights) < self._max_jobs
        if self._resumed and has_room:
            self._resume(self._resumed.popleft())
        elif self._fresh and has_room:
            self._submit(self._ledger.plan_chunk(self._fresh.popleft()))
        else:
            self._look(min(self._flights, key=lambda flight: flight.due))

    def _submit_no_more(self, fault: ImportFault) -> None:
        """Leaves what is not submitted to the next run; the jobs under way are still collected."""
        self._given_up += sum(len(images) for images in self._fresh)
        self._fresh.clear()
        self._resumed = deque(chunk for chunk in self._resumed if chunk.job_id is not None)
        under_way = len(self._flights) + len(self._resumed)
        if under_way:
            self._progress.note(f"{fault}\ncollecting the {under_way} jobs under way, then ending")

    def _follow(self, chunk: Chunk, job: JobView) -> None:
        self._set_aside.taken()
        self._flights.append(_Flight(chunk, job, self._now() + job.next_look))

    def _submit(self, chunk: Chunk) -> None:
        metadata = {"import": self._ledger.import_id, "chunk": chunk.number}
        body = self._plan.job_body([image.key for image in chunk.images.values()], metadata)
        try:
            job = self._api.submit(body, self._ledger.idempotency_key(chunk))
        except Refused as refusal:
            # What is left is another request, and so has a key of its own.
            self._ledger.close_chunk(chunk)
            if left := self._set_aside.part(chunk, refusal):
                self._fresh.append(left)
            return
        self._ledger.submitted(chunk, job.id)
        self._follow(chunk, job)

    def _resume(self, chunk: Chunk) -> None:
        """Goes on with a chunk of an earlier run, whose submit may have been cut off."""
        if chunk.job_id is not None:
            with self._unless_gone(chunk):
                self._follow(chunk, self._api.job(chunk.job_id))
            return
        try:
            self._submit(chunk)
        except Refused as refusal:
            if refusal.code != _KEY_TAKEN:
                raise
            # What arrived under the key was not this body: half of it, or an older importer's.
            self._fresh.appendleft(list(chunk.images.values()))

    @contextmanager
    def _unless_gone(self, chunk: Chunk) -> Iterator[None]:
        try:
            yield
        except Refused as refusal:
            if refusal.status != _GONE:
                raise
            job_id = chunk.job_id
            self._progress.note(f"job {job_id} is gone; run again to import its images anew")
            self._ledger.close_chunk(chunk)

    def _look(self, flight: _Flight) -> None:
        self._sleep(max(0.0, flight.due - self._now()))
        self._flights.remove(flight)  # a job that cannot be looked at is left to the next run
        with self._unless_gone(flight.chunk):
            flight.job = self._api.job(flight.job.id)
            if flight.job.ended:
                self._collect(flight)
                return
            flight.due = self._now() + flight.job.next_look
            self._flights.append(flight)

    def _collect(self, flight: _Flight) -> None:
        """Writes the job's results; a stream that breaks off is read again from its start."""
        chunk = flight.chunk
        for tries_left in reversed(range(_TRIES_TO_COLLECT)):
            try:
                for line in self._api.results(flight.job.id):
                    self._record(chunk, line)
                break
            except Unreachable:
                if not tries_left:
                    raise
        if len(chunk.received) < len(chunk.images):
            self._progress.note(f"job {flight.job.id} {flight.job.state} before all its images")
        self._ledger.close_chunk(chunk)

    def _record(self, chunk: Chunk, line: Mapping[str, Any]) -> None:
        image = chunk.images.get(str(line["custom_id"]))
        if image is not None and image.key not in chunk.received:
            self._ledger.record(chunk, line, effect_of(self._plan, line))

    def _remaining(self) -> int:
        """Images without an answer yet, by what the jobs last said of themselves."""
        told = sum(flight.job.closed_items for flight in self._flights)
        in_jobs = sum(len(chunk.images) for chunk in self._ledger.open_chunks.values())
        return sum(len(images) for images in self._fresh) + self._given_up + in_jobs - told
