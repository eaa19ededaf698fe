"""One run of a workload by one tenant: submitted over HTTP, a few jobs ahead of the workers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from scripts.bench.killing.workload import GALLERY, TARGETS, PlannedJob, Workload, gallery_job
from scripts.bench.trial.client import ApiClient
from scripts.bench.trial.database import Database
from scripts.bench.trial.receiver import Receiver
from scripts.bench.trial.stack import Tenant, TrialStack

_SUBMITTERS = 4
# Jobs are kept this far ahead of the workers, so that submitting lasts as long as the run.
MOST_OPEN = 60
# Never so far ahead of the next kill that it would find nothing to do.
AHEAD = MOST_OPEN // 2
_LOOK_S = 0.25
_GALLERY_SECONDS = 120


@dataclass
class Run:
    """What is known of a run while it goes on. Safe for several threads."""

    stack: TrialStack
    tenant: Tenant
    workload: Workload
    collections: dict[str, str] = field(default_factory=dict)
    job_ids: dict[str, str] = field(default_factory=dict)
    ended: int = 0
    resent: int = 0
    most_open: int = MOST_OPEN
    posting: set[str] = field(default_factory=set)
    hold_at: int | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    def client(self) -> ApiClient:
        """The API as this run's tenant sees it."""
        return ApiClient(self.stack.url, self.tenant)

    @property
    def in_flight(self) -> int:
        """Jobs that were accepted and have not ended."""
        return len(self.job_ids) - self.ended

    @property
    def must_hold(self) -> bool:
        """Whether submitting waits: for the workers, or for the next kill."""
        ahead = self.hold_at is not None and len(self.job_ids) >= self.hold_at
        return ahead or self.in_flight >= self.most_open


def prepare(run: Run, receiver: Receiver) -> None:
    """Collections, an enrolled gallery and a webhook endpoint, before anything is killed."""
    client = run.client()
    for name in (GALLERY, *TARGETS):
        body = {"name": name}
        run.collections[name] = client.post("/collections", body, f"collection-{name}")["id"]
    gallery, _ = gallery_job()
    job = client.post("/jobs", job_body(run, gallery), gallery.name)
    state = client.wait(job["id"], _GALLERY_SECONDS)
    if state != "succeeded":
        raise RuntimeError(f"the gallery's enrolment is {state}")
    endpoint = client.post("/webhook-endpoints", {"url": receiver.url}, "endpoint")
    receiver.trust(endpoint["secret"])


def job_body(run: Run, job: PlannedJob) -> dict[str, object]:
    """A planned job as the API takes it."""
    body: dict[str, object] = {
        "operation": job.operation,
        "items": [item.body() for item in job.items],
        "metadata": {"name": job.name},
    }
    return body | ({"collection_id": run.collections[job.collection]} if job.collection else {})


def submit_all(run: Run, jobs: Sequence[PlannedJob]) -> None:
    """Submit jobs as the workers end them; returns when every one was accepted."""
    local = threading.local()

    def submit(job: PlannedJob) -> None:
        while run.must_hold and not run.stop.is_set():
            time.sleep(_LOOK_S / 5)
        if not hasattr(local, "client"):
            local.client = run.client()
        before = local.client.resent
        run.posting.add(job.name)
        run.job_ids[job.name] = local.client.post("/jobs", job_body(run, job), job.name)["id"]
        run.posting.discard(job.name)
        run.resent += local.client.resent - before

    with ThreadPoolExecutor(_SUBMITTERS) as pool:
        list(pool.map(submit, jobs))


def watch(run: Run, database: Database) -> None:
    """Keep `run.ended` up to date until the run stops."""
    names = "SELECT count(*) FROM jobs WHERE tenant_id = %s AND finished_at IS NOT NULL"
    while not run.stop.wait(_LOOK_S):
        # The gallery's job is no part of the workload.
        run.ended = database.value(names, run.tenant.id) - 1


def wait_for_end(run: Run, patience_s: float, goes_on: Callable[[], bool]) -> bool:
    """Wait until all planned jobs ended, at most `patience_s` from when `goes_on` turned false."""
    deadline = time.monotonic() + patience_s
    while run.ended < len(run.workload.jobs):
        if goes_on():
            deadline = time.monotonic() + patience_s
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_S)
    return True


def progress(run: Run) -> Callable[[], bool]:
    """A function that says whether more jobs have ended since it was last asked."""
    seen = [-1]

    def has_moved() -> bool:
        before, seen[0] = seen[0], run.ended
        return seen[0] != before

    return has_moved


@contextmanager
def running(
    stack: TrialStack, name: str, workload: Workload, receiver: Receiver
) -> Iterator[tuple[Run, Database]]:
    """A prepared run of a new tenant, watched until the block ends; and a view of its database."""
    run = Run(stack, stack.make_tenant(name), workload)
    prepare(run, receiver)
    watching, looking = (Database(stack.settings["DATABASE_OWNER_URL"]) for _ in range(2))
    watcher = threading.Thread(target=watch, args=(run, watching))
    watcher.start()
    try:
        yield run, looking
    finally:
        run.stop.set()
        watcher.join()
        watching.close()
        looking.close()
