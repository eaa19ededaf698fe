"""What workers do: batches, the stages of each, items and how they ended, and by which engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Literal

from prometheus_client import Counter, Gauge, Histogram

import app.metrics.sharing  # noqa: F401 - before the first value is made

BatchOutcome = Literal["stored", "lost", "failed"]
_OPERATIONS = ("detect", "enrol", "identify", "verify")

_DURATION = Histogram(
    "face_recognition_duration_seconds",
    "Time of a recognition batch, by each operation in it",
    ["operation"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60),
)
_STAGE = Histogram(
    "face_recognition_stage_seconds",
    "Time in a stage: fetch and decode an image; detect and embed a group; store a batch",
    ["stage"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 20),
)
_BATCHES = Counter(
    "face_recognition_batches",
    "Batches of results: stored, lost (another worker has the shard now), or failed to be stored",
    ["outcome"],
)
_ITEMS = Counter(
    "face_recognition_items",
    "Items that workers closed, by operation, outcome and error code (empty when succeeded)",
    ["operation", "outcome", "code"],
)
_ENGINE = Gauge(
    "face_recognition_engine_info",
    "Worker processes with a loaded model, by model, engine and device",
    ["model", "engine", "device"],
    multiprocess_mode="livesum",
)


class _StageSums:
    """What a task's line tells: a process works at one task at a time."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._lock = threading.Lock()

    def add(self, stage: str, seconds: float) -> None:
        with self._lock:
            self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds

    def taken(self) -> dict[str, float]:
        with self._lock:
            taken, self._seconds = self._seconds, {}
        return taken


_SUMS = _StageSums()


@cache
def _quality() -> Histogram:
    # A metric without labels has a value, and so a file, as soon as it is made.
    return Histogram(
        "face_embedding_quality_score",
        "Quality of the faces that were embedded, 0 to 1",
        buckets=tuple(tenth / 10 for tenth in range(1, 11)),
    )


def begin_recognition() -> None:
    """Show as 0 what has not happened yet, so that its first time is a rise."""
    _quality()
    for outcome in ("stored", "lost", "failed"):
        _BATCHES.labels(outcome)
    for operation in _OPERATIONS:
        _ITEMS.labels(operation, "succeeded", "")


def record_engine(model: str, engine: str, device: str) -> None:
    """Tell what this process computes with."""
    _ENGINE.labels(model, engine, device).set(1)


def record_batch_time(operation: str, seconds: float) -> None:
    """Record how long a recognition batch took."""
    _DURATION.labels(operation).observe(seconds)


def record_stage(stage: str, seconds: float) -> None:
    """Record how long a stage took."""
    _STAGE.labels(stage).observe(seconds)
    _SUMS.add(stage, seconds)


def stage_sums() -> dict[str, float]:
    """Seconds in each stage since the last call, over all threads of this process."""
    return _SUMS.taken()


@contextmanager
def batch_stored() -> Iterator[None]:
    """Time and count the storing of a batch, whether it succeeds or not."""
    began = time.perf_counter()
    try:
        yield
    except Exception:
        _BATCHES.labels("failed").inc()
        raise
    _BATCHES.labels("stored").inc()
    record_stage("store", time.perf_counter() - began)


def record_lost_batch() -> None:
    """Count a batch whose shard is another worker's by now."""
    _BATCHES.labels("lost").inc()


def record_items(operation: str, code: str | None, count: int) -> None:
    """Count items that were closed with an error code, or without one."""
    _ITEMS.labels(operation, "failed" if code else "succeeded", code or "").inc(count)


def record_quality(score: float) -> None:
    """Record the quality of a face, 0 to 1."""
    _quality().observe(score)
