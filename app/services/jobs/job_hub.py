"""One LISTEN connection a process for everybody who waits for a job to end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import structlog

from app.database.listening import Listener, listening
from app.domain.names import NotifyChannel

_log = structlog.get_logger(__name__)

# With nobody waiting for this many looks, the connection is given back.
_IDLE_LOOKS = 60

# In case a notification was lost, all awaited jobs are looked at this often, in one query.
_LOOK_S = 1.0

_ENDED = """
SELECT id::text FROM jobs WHERE id = ANY (%s::uuid[]) AND finished_at IS NOT NULL
"""


class JobHub:
    """Wakes waiters when their jobs end. A hundred of them cost one connection.

    The connection is of the queue role, which sees the headers of every tenant's jobs; it opens
    with the first waiter.
    """

    def __init__(self, database_queue_url: str) -> None:
        self._url = database_queue_url
        self._waiters: dict[str, set[threading.Event]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._idle_looks = 0

    @property
    def waiting(self) -> int:
        """How many wait now."""
        with self._lock:
            return sum(len(events) for events in self._waiters.values())

    @contextmanager
    def waiter(self, job_id: object) -> Iterator[threading.Event]:
        """An event that is set when the job ends; register first, then look at the job."""
        event, key = threading.Event(), str(job_id)
        with self._lock:
            self._waiters.setdefault(key, set()).add(event)
            self._start()
        try:
            yield event
        finally:
            with self._lock:
                self._waiters[key].discard(event)
                if not self._waiters[key]:
                    del self._waiters[key]

    def _start(self) -> None:
        self._idle_looks = 0
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="job-hub", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        outage = False
        while not self._idle():
            try:
                with listening(self._url, NotifyChannel.JOB_FINISHED) as listener:
                    outage = False
                    self._listen(listener)
                    return
            except psycopg2.Error as error:
                if not outage:
                    _log.warning("job_hub_reconnects", error=str(error).strip())
                outage = True
                threading.Event().wait(_LOOK_S)

    def _listen(self, listener: Listener) -> None:
        while not self._idle():
            self._wake(listener.heard() if listener.wait(_LOOK_S) else self._ended(listener))

    def _idle(self) -> bool:
        """Whether to end: decided with the lock held, so that a new waiter starts a new thread."""
        with self._lock:
            self._idle_looks = 0 if self._waiters else self._idle_looks + 1
            if self._idle_looks > _IDLE_LOOKS:
                self._thread = None
            return self._thread is None

    def _ended(self, listener: Listener) -> set[str]:
        with self._lock:
            awaited = list(self._waiters)
        if not awaited:
            return set()
        return {row[0] for row in listener.ask(_ENDED, awaited)}

    def _wake(self, job_ids: set[str]) -> None:
        with self._lock:
            for job_id in job_ids:
                for event in self._waiters.get(job_id, ()):
                    event.set()
