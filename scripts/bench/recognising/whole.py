"""The whole worker path in this process: lease, fetch from S3, recognise, store in Postgres."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import UUID

from flask import Flask

from app.adapters.s3 import ObjectStore
from app.config import Settings
from app.domain.lease import ShardRef
from app.domain.storage import ObjectLocation
from workers.recognition.lease_keeper import LeaseKeeper
from workers.recognition.result_writer import Outcomes
from workers.recognition.shard_task import ShardTask
from workers.vision.pipeline import ImageInput, ImageResult, RecognitionPipeline

_LONGEST_S = 3600.0


class WholePath:
    """Runs shards as the task `recognise` does."""

    def __init__(self, app: Flask, pipeline: RecognitionPipeline) -> None:
        self._app = app
        self._pipeline = pipeline
        settings: Settings = self._app.config["SETTINGS"]
        self._lease_seconds = settings.lease_seconds
        self._store = TimedStore.of(ObjectStore.from_settings(settings))

    def run(self, job_id: str, min_faces: Mapping[str, int]) -> dict[str, Any]:
        """Process the first shard of a job; `min_faces` is the detector's limit by item number."""
        self._store.seconds.clear()
        pipeline = _PerPicture(self._pipeline, {int(seq): px for seq, px in min_faces.items()})
        keeper = LeaseKeeper(self._app, self._lease_seconds, _LONGEST_S)
        with self._app.app_context(), keeper:
            task = _TimedTask(self._app, pipeline, self._store, keeper)
            closed = task.run(ShardRef(UUID(job_id), 0))
        return {
            "closed": closed,
            "faces": pipeline.faces,
            "fetch": sum(self._store.seconds),
            "write": task.write_seconds,
            "write_wait": task.waited_seconds,
        }


@dataclass(frozen=True)
class TimedStore(ObjectStore):
    """An object store that keeps how long each read took; reads run in several threads."""

    seconds: list[float] = field(default_factory=list)

    @classmethod
    def of(cls, store: ObjectStore) -> TimedStore:
        """The same store, timed."""
        return cls(store.client, store.max_bytes)

    def read(self, location: ObjectLocation) -> bytes:
        """Read, and count the thread's processor time: the clock's would count other threads'."""
        begin = time.thread_time()
        content = super().read(location)
        self.seconds.append(time.thread_time() - begin)
        return content


class _PerPicture(RecognitionPipeline):
    """Gives each picture the smallest face that DeepFace's 640 px canvas can show of it.

    A job has one `min_face`; DeepFace shrinks every picture to 640 px, whatever it loses.
    """

    def __init__(self, pipeline: RecognitionPipeline, min_faces: Mapping[int, int]) -> None:
        self.__dict__.update(pipeline.__dict__)
        self._min_faces = min_faces
        self.faces = 0

    def run(self, inputs: Iterable[ImageInput]) -> Generator[list[ImageResult], None, None]:
        """Run, and count the faces."""
        for batch in super().run(self._limited(inputs)):
            self.faces += sum(len(result.faces) for result in batch)
            yield batch

    def _limited(self, inputs: Iterable[ImageInput]) -> Iterator[ImageInput]:
        for image in inputs:
            _, seq, _ = cast("tuple[object, int, str]", image.key)  # OpenWork's
            limit = self._min_faces.get(seq, image.options.min_face)
            yield replace(image, options=replace(image.options, min_face=limit))


class _TimedTask(ShardTask):
    """A task that keeps what storing costs, and how long recognition waited for it."""

    def __init__(
        self, app: Flask, pipeline: RecognitionPipeline, store: ObjectStore, keeper: LeaseKeeper
    ) -> None:
        super().__init__(app, pipeline, store, keeper)
        self.write_seconds = self.waited_seconds = 0.0
        self._untimed_store = self._writer._store  # noqa: SLF001 - the bench looks inside on purpose
        setattr(self._writer, "_store", self._timed_store)  # noqa: B010 - mypy refuses it otherwise

    def _store_batch(self, batch: list[ImageResult]) -> None:
        begin = time.perf_counter()
        super()._store_batch(batch)
        self.waited_seconds += time.perf_counter() - begin

    def _timed_store(self, outcomes: Outcomes) -> int:
        """Store, and count the processor time of the thread that does."""
        begin = time.thread_time()
        closed = self._untimed_store(outcomes)
        self.write_seconds += time.thread_time() - begin
        return closed
