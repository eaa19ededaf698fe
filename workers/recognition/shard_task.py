"""One recognition task: lease a shard, stream it through the pipeline, store batch by batch."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import cast

import structlog
from flask import Flask

from app.config import Settings
from app.database.notify import wake_dispatcher
from app.domain.fairness import BULK_SHARE
from app.domain.lease import Lease, ShardRef
from app.domain.outcomes import ItemOutcome, Provenance
from app.domain.states import Priority
from app.metrics.recognition import record_batch_time, record_quality
from app.services.leases.begin_shard import begin_shard
from app.services.leases.lease_shards import hand_back, lease_shard, lease_small_shards
from app.services.leases.pause_source import (
    hand_back_waiting,
    known_pauses,
    pause_source,
    resume_source,
)
from workers.recognition import shutdown
from workers.recognition.identity import current_holder
from workers.recognition.image_sources import ImageSources, ImageStore
from workers.recognition.isolated_trial import IsolatedTrial
from workers.recognition.lease_keeper import LeaseKeeper
from workers.recognition.open_work import OpenWork
from workers.recognition.result_writer import ResultWriter
from workers.vision.pipeline import ImageInput, ImageResult, RecognitionPipeline

_log = structlog.get_logger(__name__)

# Items that share a task: a shard with fewer is joined by other small ones of the same model.
TASK_ITEMS = 32
# Interactive items let in ahead of the rest at a batch boundary: bulk keeps its share of the batch.
ADMITTED_ITEMS = int(TASK_ITEMS * (1 - BULK_SHARE))


class ShardTask:
    """The work of one task, from its first lease to its last."""

    def __init__(
        self, app: Flask, pipeline: RecognitionPipeline, store: ImageStore, keeper: LeaseKeeper
    ) -> None:
        self._settings: Settings = app.config["SETTINGS"]
        self._pipeline = pipeline
        self._store = store
        self._sources = ImageSources(store, {})
        self._keeper = keeper
        self._writer = ResultWriter(app, keeper, Provenance(pipeline.engine, pipeline.version))
        self._holder = current_holder()
        self._works: list[OpenWork] = []
        self._queue: deque[OpenWork] = deque()
        self._batch_began = time.monotonic()
        self._ends_at = self._batch_began + self._settings.recognise_seconds

    def run(self, shard: ShardRef) -> int:
        """Recognise the shard, and small ones beside it; returns how many items were closed.

        What is not done when time is up or the worker stops, and what waits for a source of images
        that is away, is handed back, no attempt counted.
        """
        lease = lease_shard(shard, self._holder, self._settings.lease_seconds)
        if lease is None:
            return 0
        self._sources = ImageSources(self._store, known_pauses())
        with self._writer:
            first = self._admit(lease)
            if first is not None and lease.isolated:
                self._run_isolated(first)
            else:
                self._fill(TASK_ITEMS - lease.open_items, list(Priority))
                self._run_batched()
            self._hand_back_rest()
        return self._writer.closed

    def _admit(self, lease: Lease) -> OpenWork | None:
        self._keeper.keep(lease)
        job_id, shard_no = str(lease.shard.job_id), lease.shard.shard_no
        _log.info("shard_taken", job_id=job_id, shard_no=shard_no, items=lease.open_items)
        work = begin_shard(lease)
        if work is None:
            self._keeper.let_go(lease)
            return None
        opened = OpenWork(work, self._sources, self._settings)
        self._works.append(opened)
        if lease.priority is Priority.INTERACTIVE:
            self._queue.appendleft(opened)
        else:
            self._queue.append(opened)
        return opened

    def _fill(self, room: int, lanes: Sequence[Priority]) -> None:
        if room > 0:
            life = self._settings.lease_seconds
            for lease in lease_small_shards(self._pipeline.model, self._holder, life, room, lanes):
                self._admit(lease)

    def _inputs(self) -> Iterator[ImageInput]:
        """Images of the works in the queue; one put in front goes next, amid another's images."""
        open_inputs: list[Iterator[ImageInput]] = []
        while self._queue or open_inputs:
            if self._queue:
                open_inputs.append(self._queue.popleft().inputs())
            for image in open_inputs[-1]:
                yield image
                if self._queue and self._queue[0].lease.priority is Priority.INTERACTIVE:
                    break
            else:
                open_inputs.pop()

    def _run_batched(self) -> None:
        self._run_stream(admit=True)
        # Admitted when the stream had taken its last image: nothing else joins them, so that a
        # steady trickle of small jobs does not hold the slot.
        while self._queue and not self._must_stop():
            self._run_stream(admit=False)

    def _run_stream(self, *, admit: bool) -> None:
        with closing(self._pipeline.run(self._inputs())) as batches:
            for batch in batches:
                self._store_batch(batch)
                if self._must_stop():
                    break
                if admit:
                    self._fill(ADMITTED_ITEMS, [Priority.INTERACTIVE])
        self._writer.flush()

    def _must_stop(self) -> bool:
        return shutdown.requested() or time.monotonic() > self._ends_at

    def _store_batch(self, batch: list[ImageResult]) -> None:
        outcomes: dict[OpenWork, list[ItemOutcome]] = {}
        self._measure(batch)
        for result in batch:
            work, seq, role = _key(result)
            outcome = work.take(seq, role, result)
            if outcome is not None:
                outcomes.setdefault(work, []).append(outcome)
        self._writer.put(outcomes)
        self._tell_of_sources()

    def _tell_of_sources(self) -> None:
        """Let all workers know at once which buckets are away, and which are back."""
        for absence in self._sources.absences():
            _log.warning("source_away", bucket=absence.bucket, reason=absence.reason)
            pause_source(absence.bucket, absence.reason, absence.tried_s)
        for bucket in self._sources.returns():
            if resume_source(bucket):
                _log.info("source_back", bucket=bucket)
                wake_dispatcher()

    def _measure(self, batch: list[ImageResult]) -> None:
        now = time.monotonic()
        for operation in {_key(result)[0].operation for result in batch}:
            record_batch_time(operation, now - self._batch_began)
        self._batch_began = now
        for result in batch:
            for face in result.faces:
                if face.embedding is not None:
                    record_quality(face.quality)

    def _run_isolated(self, work: OpenWork) -> None:
        self._queue.clear()
        trial = IsolatedTrial(self._pipeline, self._writer, self._store_batch, self._must_stop)
        if trial.run(work):  # the rest goes on together
            self._queue.append(work)
            self._run_batched()

    def _hand_back_rest(self) -> None:
        rest = [work for work in self._works if work.live and not work.finished]
        if rest:
            hand_back([work.lease for work in rest if work.waits_for is None])
            hand_back_waiting({work.lease: work.waits_for for work in rest if work.waits_for})
            wake_dispatcher()


def _key(result: ImageResult) -> tuple[OpenWork, int, str]:
    """The key that OpenWork gave this image."""
    return cast("tuple[OpenWork, int, str]", result.key)
