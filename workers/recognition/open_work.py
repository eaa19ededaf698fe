"""A leased shard while a task works on it: what goes in, what has come out, what is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from app.config import Settings
from app.domain.item_errors import SourceAway
from app.domain.outcomes import ItemOutcome
from app.domain.states import Operation
from app.domain.storage import ObjectLocation, version_fault
from app.services.leases.begin_shard import ShardWork
from workers.recognition.convert import found_image, pipeline_options
from workers.recognition.image_sources import ImageStore
from workers.vision.pipeline import ImageInput, ImageResult

_PROBE, _REFERENCE = "probe", "reference"


class OpenWork:
    """One shard's items on their way through the pipeline.

    A verification's two images travel apart and meet here; until both are back the item is open.
    It stays open, too, while the bucket of one is away, which is then what the shard `waits_for`.
    """

    def __init__(self, work: ShardWork, store: ImageStore, settings: Settings) -> None:
        self.lease = work.lease
        self._work = work
        self._store = store
        options = pipeline_options(work.operation, work.options, settings)
        # A reference may be the photograph of a document: nobody claims that it shows a live face.
        self._options = {
            _PROBE: options,
            _REFERENCE: replace(options, liveness=False, attributes=()),
        }
        self._left = {item.seq: item for item in work.items}
        self._halves: dict[int, dict[str, ImageResult]] = {}
        self.live = True
        self.waits_for: str | None = None

    @property
    def operation(self) -> Operation:
        """What the job does with its images."""
        return self._work.operation

    @property
    def finished(self) -> bool:
        """Whether every item that was open has an outcome."""
        return not self._left

    @property
    def open_seqs(self) -> list[int]:
        """The items without an outcome, in order."""
        return sorted(self._left)

    def inputs(self, seqs: list[int] | None = None) -> Iterator[ImageInput]:
        """Images of the open items (or of some), for as long as the shard is ours."""
        for seq in self.open_seqs if seqs is None else seqs:
            if not self.live:
                return
            item = self._left[seq]
            yield self._input(seq, _PROBE, item.image_uri, item.image_version)
            if item.reference_uri is not None:
                yield self._input(seq, _REFERENCE, item.reference_uri, item.reference_version)

    def _input(self, seq: int, role: str, uri: str, version: str | None) -> ImageInput:
        load: Callable[[], bytes] = partial(self._load, uri, version)
        return ImageInput((self, seq, role), load, self._options[role])

    def _load(self, uri: str, version: str | None) -> bytes:
        """Checked again at the last moment: a bucket may have been taken from the tenant."""
        if refusal := self._work.readable.refusal(uri) or version_fault(version):
            raise refusal
        return self._store.read(ObjectLocation.parse(uri, version))

    def take(self, seq: int, role: str, result: ImageResult) -> ItemOutcome | None:
        """Add one image's result; returns the item's outcome once it is whole, unless it waits."""
        halves = self._halves.setdefault(seq, {})
        halves[role] = result
        item = self._left[seq]
        wanted = 2 if item.reference_uri is not None else 1
        if len(halves) < wanted:
            return None
        del self._halves[seq]
        for half in halves.values():
            if isinstance(half.error, SourceAway):
                self.waits_for = half.error.bucket
                return None
        return self._outcome(seq, halves[_PROBE], halves.get(_REFERENCE))

    def _outcome(self, seq: int, probe: ImageResult, reference: ImageResult | None) -> ItemOutcome:
        error = probe.error or (reference.error if reference else None)
        compared = found_image(reference) if reference else None
        spent = probe.inference_s + (reference.inference_s if reference else 0)
        return ItemOutcome(seq, found_image(probe), compared, error, spent)

    def close(self, outcomes: list[ItemOutcome]) -> None:
        """Forget items whose outcomes are stored."""
        for outcome in outcomes:
            self._left.pop(outcome.seq, None)
