"""A shard that lost its worker: its items are opened one at a time, each recorded before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from app.domain.item_errors import RecognitionFailed
from app.domain.lease import POISON_DEATHS
from app.domain.outcomes import ItemOutcome
from app.services.leases.lease_shards import begin_trial
from app.services.results.bury_item import bury_item
from app.services.results.job_batch import ShardFate
from workers.recognition.open_work import OpenWork
from workers.recognition.result_writer import ResultWriter
from workers.vision.pipeline import ImageResult, RecognitionPipeline

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class IsolatedTrial:
    """Finds the item that kills, by leaving each alone in flight.

    The task that it is a part of stores what was recognised, and says when it is time to stop.
    """

    pipeline: RecognitionPipeline
    writer: ResultWriter
    store_batch: Callable[[list[ImageResult]], None]
    must_stop: Callable[[], bool]

    def run(self, work: OpenWork) -> bool:
        """Try item by item; returns whether a poison was found, so that the rest goes together.

        Otherwise all is done that can be: the items are through, the shard is not ours any more, or
        it is time to stop.
        """
        for seq in work.open_seqs:
            deaths = begin_trial(work.lease, seq)
            if deaths is None:
                self.writer.drop(work)
                return False
            if deaths >= POISON_DEATHS:
                self._bury(work, seq)
                return True
            self._try_alone(work, seq)
            if self.must_stop() or not work.live or work.waits_for:
                return False
        return False

    def _bury(self, work: OpenWork, seq: int) -> None:
        _log.error("item_buried", shard=str(work.lease.shard), seq=seq)
        if bury_item(work.lease, seq) is not ShardFate.GOES_ON:
            self.writer.drop(work)
        work.close([ItemOutcome(seq)])

    def _try_alone(self, work: OpenWork, seq: int) -> None:
        try:
            batches = list(self.pipeline.run(work.inputs([seq])))
        except Exception:  # noqa: BLE001 - it was alone, so whatever failed must not come back
            _log.exception("item_failed_unexpectedly", shard=str(work.lease.shard), seq=seq)
            error = RecognitionFailed("recognition failed on this image for a reason of our own")
            self.writer.put({work: [ItemOutcome(seq, error=error)]})
        else:
            for batch in batches:
                self.store_batch(batch)
        self.writer.flush()
