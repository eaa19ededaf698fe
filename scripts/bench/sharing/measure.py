"""Delays of small jobs while another tenant's large one runs, and what the large one keeps."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count

from scripts.bench.trial import images
from scripts.bench.trial.client import ApiClient
from scripts.bench.trial.database import Database
from scripts.bench.trial.stack import Tenant, TrialStack
from scripts.stack import object_store
from scripts.stack.environment import BUCKET

_PICTURES = 64
# What `workers` takes at a time: a shard, and what is committed together.
SHARD_ITEMS, BATCH_ITEMS = 256, 32
_LOOK_S = 0.05
_PATIENCE_S = 120.0
_CLIENTS = 8

_DELAYS = """
SELECT extract(epoch FROM started_at - created_at)::float AS start,
  extract(epoch FROM finished_at - created_at)::float AS finish FROM jobs WHERE id = %s
"""


@dataclass(frozen=True)
class Delays:
    """Seconds from the commit of a job to its first lease, and to its end."""

    start: list[float]
    finish: list[float]

    def report(self) -> dict[str, float]:
        """Median and worst."""
        return {
            "start_p50_s": round(statistics.median(self.start), 3),
            "start_max_s": round(max(self.start), 3),
            "finish_p50_s": round(statistics.median(self.finish), 3),
            "finish_max_s": round(max(self.finish), 3),
        }


class Sharing:
    """A stack in which one tenant's large job runs, and another tenant's small ones come."""

    def __init__(self, stack: TrialStack) -> None:
        self._stack = stack
        self._database = Database(stack.settings["DATABASE_OWNER_URL"])
        self._large, self._small = (stack.make_tenant(name) for name in ("large", "small"))
        self._numbers = count()
        self._bulk_id = ""
        self._upload()

    def _upload(self) -> None:
        rng = random.Random(1)  # noqa: S311 - pictures, not secrets
        s3 = object_store.client(self._stack.state)
        for number in range(_PICTURES):
            content = images.variation(rng).content
            s3.put_object(Bucket=BUCKET, Key=f"fair/{number}", Body=content)

    def submit_bulk(self, items: int) -> None:
        """Submit the large job and wait until it runs."""
        self._bulk_id = self._submit(self._large, items)
        self._wait_until_started(self._bulk_id)

    def bulk_rate(self, seconds: float) -> float:
        """Items a second of the large job over the next while."""
        began, before = time.monotonic(), self._bulk_open()
        time.sleep(seconds)
        return (before - self._bulk_open()) / (time.monotonic() - began)

    def small_jobs(self, number: int, items: int, *, wait_s: int = 0) -> Delays:
        """One small job after another: how long each waits to start, and to end."""
        delays = Delays([], [])
        for _ in range(number):
            job_id = self._submit(self._small, items, wait_s=wait_s)
            row = self._wait_until_finished(job_id)
            delays.start.append(row[0])
            delays.finish.append(row[1])
        return delays

    def stream(self, seconds: float, items: Sequence[int]) -> dict[str, float]:
        """Small jobs of one tenant, more than the workers can do; who got how much."""
        deadline = time.monotonic() + seconds
        began, before = time.monotonic(), self._bulk_open()

        def keep_submitting(place: int) -> int:
            client, done = ApiClient(self._stack.url, self._small), 0
            while time.monotonic() < deadline:
                size = items[place % len(items)]
                name = f"job-{next(self._numbers)}"
                client.post("/jobs", self._body(size), name, wait_s=30)
                done += size
            return done

        with ThreadPoolExecutor(_CLIENTS) as pool:
            small = sum(pool.map(keep_submitting, range(_CLIENTS)))
        took = time.monotonic() - began
        bulk = before - self._bulk_open()
        return {
            "seconds": round(took, 1),
            "small_items_per_s": round(small / took, 1),
            "bulk_items_per_s": round(bulk / took, 1),
            "bulk_share": round(bulk / (bulk + small), 3),
        }

    def cancel_bulk(self) -> float:
        """Cancel the large job; seconds until it has ended."""
        began = time.monotonic()
        ApiClient(self._stack.url, self._large).post(f"/jobs/{self._bulk_id}/cancel", {}, "cancel")
        self._wait_until_finished(self._bulk_id)
        return time.monotonic() - began

    def _submit(self, tenant: Tenant, items: int, *, wait_s: int = 0) -> str:
        client = ApiClient(self._stack.url, tenant)
        name = f"job-{next(self._numbers)}"
        return str(client.post("/jobs", self._body(items), name, wait_s=wait_s)["id"])

    def _body(self, items: int) -> dict[str, object]:
        listed = [
            {"custom_id": str(n), "image": f"s3://{BUCKET}/fair/{n % _PICTURES}"}
            for n in range(items)
        ]
        return {"operation": "detect", "items": listed, "webhook_endpoint_id": None}

    def _bulk_open(self) -> int:
        row = self._database.rows("SELECT open_items FROM jobs WHERE id = %s", self._bulk_id)[0]
        return int(row.open_items)

    def _wait_until_started(self, job_id: str) -> None:
        self._wait_for(job_id, 0)

    def _wait_until_finished(self, job_id: str) -> tuple[float, float]:
        return self._wait_for(job_id, 1)

    def _wait_for(self, job_id: str, column: int) -> tuple[float, float]:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            row = self._database.rows(_DELAYS, job_id)[0]
            if row[column] is not None:
                return row[0], row[1]
            if time.monotonic() > deadline:
                raise RuntimeError(f"job {job_id} did not get on in {_PATIENCE_S:g} s")
            time.sleep(_LOOK_S)
