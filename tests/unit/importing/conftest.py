from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from scripts.importing.client import JobView
from scripts.importing.failures import Refused, Unreachable
from scripts.importing.ledger import Ledger
from scripts.importing.plan import Plan, chunks
from scripts.importing.run import Import
from scripts.importing.source import Source
from tests.factories.listings import listed


class FakeFaceQueue:
    """Jobs that end at the second look; keys of one Idempotency-Key give one job."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.failing: dict[str, str] = {}  # custom_id -> error code
        self.end_state = "succeeded"
        self.refusal: Refused | None = None
        self.refusals = 99
        self.not_taken: set[str] = set()  # custom_ids that no job may hold
        self.faces: dict[str, dict[str, Any]] = {}  # custom_id -> its only face
        self.submits = 0
        self.broken_streams = 0
        self.looks: list[str] = []
        self.most_in_flight = 0

    def submit(self, body: Mapping[str, Any], idempotency_key: str) -> JobView:
        self.submits += 1
        if self.refusal and self.refusals:
            self.refusals -= 1
            raise self.refusal
        self._check(body["items"])
        self.jobs.setdefault(idempotency_key, {"body": body, "looks": 0})
        running = sum(job["looks"] < 2 for job in self.jobs.values())
        self.most_in_flight = max(self.most_in_flight, running)
        return self._view(idempotency_key)

    def job(self, job_id: str) -> JobView:
        if job_id not in self.jobs:
            raise Refused(404, {"code": "not_found"})
        self.looks.append(job_id)
        self.jobs[job_id]["looks"] += 1
        return self._view(job_id)

    def results(self, job_id: str) -> Iterator[dict[str, Any]]:
        items = self.jobs[job_id]["body"]["items"]
        for item in items if self.end_state == "succeeded" else items[:1]:
            if self.broken_streams and item is items[-1]:
                self.broken_streams -= 1
                raise Unreachable("the stream broke off")
            code = self.failing.get(item["custom_id"])
            yield {
                "custom_id": item["custom_id"],
                "state": "failed" if code else "succeeded",
                "faces": [self.faces[item["custom_id"]]] if item["custom_id"] in self.faces else [],
                "error": {"code": code, "message": ""} if code else None,
            }

    def _check(self, items: list[dict[str, Any]]) -> None:
        """Refuses as the service does: by the place of the item, 20 of them at most."""
        errors = [
            {"pointer": f"/items/{position}/image", "detail": "is not taken"}
            for position, item in enumerate(items)
            if item["custom_id"] in self.not_taken
        ]
        if errors:
            raise Refused(422, {"code": "bucket_forbidden", "errors": errors[:20]})

    def submitted_keys(self) -> list[str]:
        return [item["custom_id"] for job in self.jobs.values() for item in job["body"]["items"]]

    def _view(self, job_id: str) -> JobView:
        job = self.jobs[job_id]
        ended = job["looks"] >= 2
        total = len(job["body"]["items"])
        counts = {"total": total, "succeeded": total if ended else min(job["looks"], total)}
        return JobView(job_id, self.end_state if ended else "processing", counts, 3.0)


class Recorder:
    """Progress that remembers what it was told."""

    def __init__(self) -> None:
        self.remaining: list[int] = []
        self.notes: list[str] = []

    def advance(self, remaining: int) -> None:
        self.remaining.append(remaining)

    def note(self, text: str) -> None:
        self.notes.append(text)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.naps: list[float] = []

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.seconds += seconds


@pytest.fixture
def plan() -> Plan:
    return Plan(Source("photos", "door/"), "detect")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


@pytest.fixture
def api() -> FakeFaceQueue:
    return FakeFaceQueue()


@pytest.fixture
def progress() -> Recorder:
    return Recorder()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(api: FakeFaceQueue, plan: Plan, results: Path, progress: Recorder, clock: Clock) -> Any:
    """Runs an import of some keys in chunks of two, as one run of the command would."""

    def run(
        keys: list[str],
        *,
        again_if_failed: bool = False,
        max_jobs: int = 4,
        chunk: int = 2,
        version: str = "v1",
        of: Plan = plan,
    ) -> None:
        with Ledger(results, of) as ledger:
            images = listed(*keys, version=version)
            missing = ledger.missing(images, again_if_failed=again_if_failed)
            waiting = chunks(missing, chunk)
            job_loop = Import(
                api, ledger, of, progress, max_jobs=max_jobs, now=clock.now, sleep=clock.sleep
            )
            job_loop.run(waiting)

    return run


@pytest.fixture
def start_and_interrupt(start: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs an import that is interrupted when it first waits, its jobs submitted."""

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    def run(keys: list[str]) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(clock, "sleep", interrupt)
            with pytest.raises(KeyboardInterrupt):
                start(keys)

    return run
