"""The import itself: a few jobs in flight at a time, each submitted, watched and collected."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from scripts.importing.client import JobView
from scripts.importing.failures import Refused, Unreachable
from scripts.importing.ledger import Chunk, Ledger
from scripts.importing.plan import Plan
from scripts.importing.progress import Progress

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
        self._flights: list[_Flight] = []
        self._fresh: deque[Sequence[str]] = deque()

    def run(self, waiting: Sequence[Sequence[str]]) -> None:
        """Takes up what an earlier run left, then submits the waiting chunks, and sees all end.

        Raises:
            ImportFault: it cannot go on. The ledger holds what was done.
        """
        resumed = deque(self._ledger.open_chunks.values())
        self._fresh.extend(waiting)
        while resumed or self._fresh or self._flights:
            has_room = len(self._flights) < self._max_jobs
            if resumed and has_room:
                self._resume(resumed.popleft())
            elif self._fresh and has_room:
                chunk = self._ledger.plan_chunk(self._fresh.popleft())
                self._follow(chunk, self._submit(chunk))
            else:
                self._look(min(self._flights, key=lambda flight: flight.due))
            self._progress.advance(self._remaining())

    def _follow(self, chunk: Chunk, job: JobView) -> None:
        self._flights.append(_Flight(chunk, job, self._now() + job.next_look))

    def _submit(self, chunk: Chunk) -> JobView:
        metadata = {"import": self._ledger.import_id, "chunk": chunk.number}
        body = self._plan.job_body(list(chunk.keys.values()), metadata)
        try:
            job = self._api.submit(body, self._ledger.idempotency_key(chunk))
        except Refused:
            # The API keeps a refusal under its key too: a corrected run must ask under a new one.
            self._ledger.close_chunk(chunk)
            raise
        self._ledger.submitted(chunk, job.id)
        return job

    def _resume(self, chunk: Chunk) -> None:
        """Goes on with a chunk of an earlier run, whose submit may have been cut off."""
        if chunk.job_id is not None:
            self._find(chunk, chunk.job_id)
            return
        try:
            self._follow(chunk, self._submit(chunk))
        except Refused as refusal:
            if refusal.code != _KEY_TAKEN:
                raise
            # What arrived under the key was not this body: half of it, or an older importer's.
            self._fresh.appendleft(list(chunk.keys.values()))

    def _find(self, chunk: Chunk, job_id: str) -> None:
        try:
            self._follow(chunk, self._api.job(job_id))
        except Refused as refusal:
            if refusal.status != _GONE:
                raise
            self._progress.note(f"job {job_id} is gone; run again to import its images anew")
            self._ledger.close_chunk(chunk)

    def _look(self, flight: _Flight) -> None:
        self._sleep(max(0.0, flight.due - self._now()))
        flight.job = self._api.job(flight.job.id)
        flight.due = self._now() + flight.job.next_look
        if flight.job.ended:
            self._collect(flight)
            self._flights.remove(flight)

    def _collect(self, flight: _Flight) -> None:
        """Writes the job's results; a stream that breaks off is read again from its start."""
        for tries_left in reversed(range(_TRIES_TO_COLLECT)):
            try:
                for line in self._api.results(flight.job.id):
                    self._ledger.record(flight.chunk, line)
                break
            except Unreachable:
                if not tries_left:
                    raise
        if len(flight.chunk.received) < len(flight.chunk.keys):
            self._progress.note(f"job {flight.job.id} {flight.job.state} before all its images")
        self._ledger.close_chunk(flight.chunk)

    def _remaining(self) -> int:
        """Images without an answer yet, by what the jobs last said of themselves."""
        told = sum(flight.job.closed_items for flight in self._flights)
        in_jobs = sum(len(chunk.keys) for chunk in self._ledger.open_chunks.values())
        return sum(len(keys) for keys in self._fresh) + in_jobs - told
