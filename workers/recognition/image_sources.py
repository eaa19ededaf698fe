"""Reads images for one task: tries again a few times, and leaves a source alone that is away."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Protocol

from app.domain.item_errors import (
    ItemError,
    SourceAway,
    StorageUnavailable,
)
from app.domain.source_pause import SourcePause
from app.domain.storage import ObjectLocation

# Pauses between tries, in seconds. After them a bucket that delivers nothing else is away.
_PAUSES_S: tuple[float, ...] = (0.2, 0.4, 0.8, 1.6)
# If it delivers other objects, the trouble may be this object's own: it is tried a while longer.
_FURTHER_PAUSES_S: tuple[float, ...] = (2.0, 2.0, 2.0)
# A bucket that was away when it was last asked has to show that it is back.
_PAUSES_OF_A_SUSPECT_S: tuple[float, ...] = (0.2,)
# A server that swallows packets is asked once more, not five times.
_PATIENCE_S = 10.0
_LONGEST_PATIENCE_S = 20.0
_JITTER = 0.5

# The object that this process read last of each bucket: what a live bucket delivers again.
_delivered: dict[str, ObjectLocation] = {}


class ImageStore(Protocol):
    """What can read an object."""

    def read(self, location: ObjectLocation) -> bytes:
        """The object's bytes; raises ItemError."""
        ...


@dataclass(frozen=True)
class Absence:
    """A bucket was found away: why, and for how many seconds it had been asked."""

    bucket: str
    reason: str
    tried_s: float


@dataclass
class _Source:
    """`answered_at`: when the last question was asked that was answered."""

    bucket: str
    suspect: bool = False
    away: str = ""
    answered_at: float = -math.inf
    gone: Event = field(default_factory=Event)


@dataclass
class _Tries:
    """One object's: how many, since when, and when the last one failed."""

    began: float = field(default_factory=time.monotonic)
    failed: int = 0
    failed_at: float = math.inf

    @property
    def lasted(self) -> float:
        return time.monotonic() - self.began


class ImageSources:
    """The buckets that a task reads, for any number of threads.

    What was found out is fetched by `absences` and `returns`, once.
    """

    def __init__(self, store: ImageStore, pauses: Mapping[str, SourcePause]) -> None:
        self._store = store
        self._lock = Lock()
        self._sources: dict[str, _Source] = {}
        self._absences: list[Absence] = []
        self._returns: list[str] = []
        for bucket, pause in pauses.items():
            source = self._sources[bucket] = _Source(bucket, suspect=True)
            if pause.left_s > 0:
                self._leave(source, pause.last_error)

    def read(self, location: ObjectLocation) -> bytes:
        """The object's bytes.

        Raises:
            SourceAway: its bucket does not answer, or it is known that it would not.
            StorageUnavailable: its bucket delivers others, but not this one.
            ItemError: S3 refuses it for good.
        """
        source, tries = self._source(location.bucket), _Tries()
        while not source.away:
            asked_at = time.monotonic()
            try:
                content = self._store.read(location)
            except StorageUnavailable as error:
                pause = self._pause_after(error, source, tries, location)
                source.gone.wait(pause * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311 - no secret
            except ItemError:
                self._answered(source, asked_at)
                raise
            else:
                _delivered[location.bucket] = location
                self._answered(source, asked_at)
                return content
        raise SourceAway(location.bucket, source.away)

    def absences(self) -> list[Absence]:
        """The buckets that were found away since the last call."""
        with self._lock:
            found, self._absences = self._absences, []
        return found

    def returns(self) -> list[str]:
        """The buckets that were known as away, and have answered since the last call."""
        with self._lock:
            found, self._returns = self._returns, []
        return found

    def _source(self, bucket: str) -> _Source:
        with self._lock:
            return self._sources.setdefault(bucket, _Source(bucket))

    def _pause_after(
        self, error: StorageUnavailable, source: _Source, tries: _Tries, location: ObjectLocation
    ) -> float:
        """How long to wait before the next try; raises what ends them."""
        failed, failed_before = tries.failed, tries.failed_at
        tries.failed, tries.failed_at = failed + 1, time.monotonic()
        pauses = _PAUSES_OF_A_SUSPECT_S if source.suspect else _PAUSES_S
        if failed < len(pauses) and (not failed or tries.lasted < _PATIENCE_S):
            return pauses[failed]
        if source.answered_at <= failed_before and not self._delivers_another(source, location):
            self._give_up(source, error.reason, tries.lasted)
            raise SourceAway(source.bucket, error.reason) from error
        pauses = _PAUSES_S + _FURTHER_PAUSES_S
        if failed < len(pauses) and tries.lasted < _LONGEST_PATIENCE_S:
            return pauses[failed]
        raise error

    def _delivers_another(self, source: _Source, location: ObjectLocation) -> bool:
        """Whether the bucket delivers an object that it delivered before."""
        known = _delivered.get(source.bucket)
        if known is None or known == location:
            return False
        asked_at = time.monotonic()
        try:
            self._store.read(known)
        except StorageUnavailable:
            return False
        except ItemError:  # gone meanwhile, says the bucket
            pass
        self._answered(source, asked_at)
        return True

    def _give_up(self, source: _Source, reason: str, tried_s: float) -> None:
        with self._lock:
            if not source.away:
                self._absences.append(Absence(source.bucket, reason, tried_s))
                self._leave(source, reason)

    @staticmethod
    def _leave(source: _Source, reason: str) -> None:
        source.away = reason
        source.gone.set()

    def _answered(self, source: _Source, asked_at: float) -> None:
        with self._lock:
            source.answered_at = max(source.answered_at, asked_at)
            if source.suspect and not source.away:
                source.suspect = False
                self._returns.append(source.bucket)
