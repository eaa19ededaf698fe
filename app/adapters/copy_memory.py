"""Memory that a worker's children share, for copies of vectors. It is never a file on a disk.

It is made before the children are forked and has no name: when the last of them has ended, however
that came, the kernel has taken it back. It is handed out in segments, so that a copy grows without
being moved and a copy that goes leaves no gap.

Every change of a copy is made under a lock of the kernel's that ends with its process. A copy is
marked as unfinished before its first byte changes and as finished after the last: whoever gets the
lock of an unfinished one knows that its writer died, and clears it. Nobody ever waits for a lock
here; who does not get one does without the copy.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import mmap
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from app.domain.gallery import GalleryRef

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_MEGABYTE = 1 << 20
_VECTOR_BYTES = 4 * _MEGABYTE
_ID_BYTES = 8192 * 16
_SEGMENT_BYTES = _VECTOR_BYTES + _ID_BYTES
_MOST_COPIES = 256
_FREE, _UNFINISHED, _READY = 0, 1, 2
# Byte 0 of the memory is the lock of the tables, byte n + 1 that of copy n.
_TABLES: Final = 0

_COPY = np.dtype(
    [
        ("state", "i4"),
        ("dimensions", "i4"),
        ("key", "u1", 32),
        ("epoch", "u8"),
        ("position", "u8"),
        ("used", "f8"),
        ("fresh", "f8"),
    ]
)
_SEGMENT = np.dtype([("owner", "i4"), ("rows", "i4")])


@dataclass(frozen=True)
class Segment:
    """The faces of a part of a copy: views of the shared memory, with room for `most`."""

    number: int
    ids: Bytes
    vectors: Floats


class CopyMemory:
    """So many megabytes of segments, and which copy each belongs to."""

    def __init__(self, megabytes: int) -> None:
        self._segments_n = max(1, megabytes * _MEGABYTE // _SEGMENT_BYTES)
        head = _MOST_COPIES * _COPY.itemsize + self._segments_n * _SEGMENT.itemsize + 4096
        self._start = -(-head // mmap.PAGESIZE) * mmap.PAGESIZE
        size = self._start + self._segments_n * _SEGMENT_BYTES
        self._fd = os.memfd_create("facequeue-search")
        os.ftruncate(self._fd, size)
        self._map = mmap.mmap(self._fd, size)
        self._map.madvise(mmap.MADV_DONTDUMP)
        self._epoch: npt.NDArray[np.uint64] = np.frombuffer(self._map, "u8", 1, offset=512)
        self._copies = np.frombuffer(self._map, _COPY, _MOST_COPIES, offset=1024)
        self._owned = np.frombuffer(
            self._map, _SEGMENT, self._segments_n, offset=1024 + _MOST_COPIES * _COPY.itemsize
        )
        # The kernel's locks are a process's: its threads take turns.
        self._turn = threading.RLock()

    def child_began(self) -> None:
        """In a new child: a thread of the parent's may have had its turn as this was forked."""
        self._turn = threading.RLock()

    @property
    def epoch(self) -> int:
        """The transaction from which on all changes are told of; 0 while nobody tells."""
        return int(self._epoch[0])

    @epoch.setter
    def epoch(self, transaction: int) -> None:
        self._epoch[0] = transaction

    def room_for(self, faces: int, dimensions: int) -> bool:
        """Whether so many faces fit, once all others are gone."""
        return faces <= self._segments_n * _rows(dimensions)

    def positions(self) -> list[int]:
        """How far the copies that there are have followed."""
        return [int(copy["position"]) for copy in self._copies if copy["state"] != _FREE]

    def age_s(self, gallery: GalleryRef) -> float | None:
        """Seconds since the copy of a gallery was brought up to date; None where there is none."""
        number = self._find(gallery)
        return None if number is None else Copy(self, number).age_s

    @contextmanager
    def read(self, gallery: GalleryRef) -> Iterator[Copy | None]:
        """The copy of a gallery, unchanged as long as this is entered; None when there is none."""
        with self._turn:
            number = self._find(gallery)
            if number is None or not self._lock(number + 1, fcntl.LOCK_SH):
                yield None
                return
            try:
                # It may have gone, or become another's, before we had it.
                found = self._find(gallery) == number
                if found:
                    self._copies[number]["used"] = time.monotonic()
                yield Copy(self, number) if found else None
            finally:
                self._unlock(number + 1)

    @contextmanager
    def change(self, gallery: GalleryRef, *, new: bool = False) -> Iterator[Copy | None]:
        """The copy of a gallery, or a `new` one, for one writer; None when others are at it.

        Without `Copy.finish` it is gone on leaving.
        """
        with self._turn:
            number = self._claim(gallery) if new else self._find(gallery)
            if number is None or not (new or self._lock(number + 1, fcntl.LOCK_EX)):
                yield None
                return
            try:
                if not new and self._find(gallery) != number:
                    yield None
                    return
                self._copies[number]["state"] = _UNFINISHED
                yield Copy(self, number)
                if self._copies[number]["state"] == _UNFINISHED:
                    self._clear(number)
            except BaseException:
                self._clear(number)
                raise
            finally:
                self._unlock(number + 1)

    def drop(self, not_fresh_since: float = float("inf")) -> None:
        """Clear copies that nobody has brought up to date since, and what dead writers left."""
        with self._turn:
            for number in range(_MOST_COPIES):
                copy = self._copies[number]
                if copy["state"] == _FREE or (
                    copy["state"] == _READY and copy["fresh"] >= not_fresh_since
                ):
                    continue
                self._clear_if_alone(number)

    def drop_gallery(self, gallery: GalleryRef) -> None:
        """Clear the copy of a gallery."""
        with self._turn:
            number = self._find(gallery)
            if number is not None:
                self._clear_if_alone(number)

    def segments(self, number: int) -> Iterator[Segment]:
        """Those of a copy that hold anything."""
        dimensions = int(self._copies[number]["dimensions"])
        for index in np.flatnonzero(self._owned["owner"] == number + 1).tolist():
            yield self._segment(index, int(self._owned[index]["rows"]), dimensions)

    def append(self, number: int, ids: Bytes, vectors: Floats) -> bool:
        """Add faces to a copy; False when there is no room left for them."""
        dimensions = vectors.shape[1]
        most, done = _rows(dimensions), 0
        while done < len(ids):
            index = self._with_room(number, most)
            if index is None:
                return False
            rows = int(self._owned[index]["rows"])
            count = min(most - rows, len(ids) - done)
            room = self._segment(index, rows + count, dimensions)
            room.ids[rows:] = ids[done : done + count]
            room.vectors[rows:] = vectors[done : done + count]
            self._owned[index]["rows"] = rows + count
            done += count
        return True

    def remove(self, number: int, ids: Bytes) -> None:
        """Take faces out of a copy, and their vectors out of the memory."""
        wanted = np.ascontiguousarray(ids).view("u8")[:, 1]
        whole = {face_id.tobytes() for face_id in ids}
        for segment in self.segments(number):
            maybe = np.flatnonzero(np.isin(segment.ids.view("u8")[:, 1], wanted))
            last = len(segment.ids)
            for row in maybe[::-1].tolist():
                if segment.ids[row].tobytes() in whole:
                    last -= 1
                    for rows in (segment.ids, segment.vectors):
                        rows[row] = rows[last]
                        rows[last] = 0
            self._owned[segment.number]["rows"] = last

    def details(self, number: int) -> Any:
        """The row of a copy in the table."""
        return self._copies[number]

    def _segment(self, index: int, rows: int, dimensions: int) -> Segment:
        start = self._start + index * _SEGMENT_BYTES
        vectors = np.frombuffer(self._map, np.float32, rows * dimensions, offset=start)
        ids = np.frombuffer(self._map, np.uint8, rows * 16, offset=start + _VECTOR_BYTES)
        return Segment(index, ids.reshape(rows, 16), vectors.reshape(rows, dimensions))

    def _find(self, gallery: GalleryRef) -> int | None:
        key = _key(gallery)
        for number in np.flatnonzero(self._copies["state"] == _READY).tolist():
            if self._copies[number]["key"].tobytes() == key:
                return int(number)
        return None

    def _claim(self, gallery: GalleryRef) -> int | None:
        """Take a place in the table, locked; none where the gallery has one or another is made."""
        with self._tables() as mine:
            if not mine or self._find(gallery) is not None:
                return None
            key = _key(gallery)
            for number in range(_MOST_COPIES):
                copy = self._copies[number]
                if copy["state"] == _READY or not self._lock(number + 1, fcntl.LOCK_EX):
                    if copy["key"].tobytes() == key:
                        return None
                    continue
                self._clear(number)
                copy["state"], copy["dimensions"] = _UNFINISHED, gallery.dimensions
                copy["key"], copy["position"] = np.frombuffer(key, np.uint8), 0
                return number
        return None

    def _with_room(self, number: int, most: int) -> int | None:
        """A segment of the copy that is not full, a free one, or one that another copy gives up."""
        mine = np.flatnonzero(
            (self._owned["owner"] == number + 1) & (self._owned["rows"] < most)
        ).tolist()
        if mine:
            return int(mine[0])
        with self._tables() as alone:
            if not alone:
                return None
            while not len(free := np.flatnonzero(self._owned["owner"] == 0)):
                if not self._evict(number):
                    return None
            self._owned[free[0]]["rows"] = 0
            self._owned[free[0]]["owner"] = number + 1
            return int(free[0])

    def _evict(self, but: int) -> bool:
        """Clear the copy that was not used for longest, of those that nobody uses now."""
        used = [
            (float(copy["used"]), number)
            for number, copy in enumerate(self._copies)
            if copy["state"] != _FREE and number != but
        ]
        return any(self._clear_if_alone(number) for _, number in sorted(used))

    def _clear_if_alone(self, number: int) -> bool:
        if not self._lock(number + 1, fcntl.LOCK_EX):
            return False
        try:
            self._clear(number)
        finally:
            self._unlock(number + 1)
        return True

    def _clear(self, number: int) -> None:
        """Give the memory of a copy back to the system, which hands out zeros next time."""
        if self._copies[number]["state"] != _FREE:
            self._copies[number]["state"] = _UNFINISHED
        for index in np.flatnonzero(self._owned["owner"] == number + 1).tolist():
            start = self._start + index * _SEGMENT_BYTES
            self._map.madvise(mmap.MADV_REMOVE, start, _SEGMENT_BYTES)
            self._owned[index]["rows"] = 0
            self._owned[index]["owner"] = 0
        self._copies[number]["state"] = _FREE

    @contextmanager
    def _tables(self) -> Iterator[bool]:
        """Alone at the tables; held for moments, so that it is worth a few tries."""
        deadline = time.monotonic() + 1
        while not (mine := self._lock(_TABLES, fcntl.LOCK_EX)) and time.monotonic() < deadline:
            time.sleep(0.001)
        try:
            yield mine
        finally:
            if mine:
                self._unlock(_TABLES)

    def _lock(self, byte: int, kind: int) -> bool:
        try:
            fcntl.lockf(self._fd, kind | fcntl.LOCK_NB, 1, byte)
        except OSError as error:
            if error.errno in {errno.EACCES, errno.EAGAIN}:
                return False
            raise
        return True

    def _unlock(self, byte: int) -> None:
        fcntl.lockf(self._fd, fcntl.LOCK_UN, 1, byte)


@dataclass(frozen=True)
class Copy:
    """The faces of one gallery, while it is locked: vectors in single precision, of length 1."""

    memory: CopyMemory
    number: int

    @property
    def position(self) -> int:
        """What transactions below it changed is in the copy."""
        return int(self.memory.details(self.number)["position"])

    @property
    def epoch(self) -> int:
        """The memory's epoch when the copy was made."""
        return int(self.memory.details(self.number)["epoch"])

    @property
    def age_s(self) -> float:
        """Seconds since it was brought up to date."""
        return time.monotonic() - float(self.memory.details(self.number)["fresh"])

    def segments(self) -> Iterator[Segment]:
        """All its faces."""
        return self.memory.segments(self.number)

    def append(self, ids: Bytes, vectors: Floats) -> bool:
        """Add faces; False when there is no room left for them."""
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
        return self.memory.append(self.number, ids, unit)

    def remove(self, ids: Bytes) -> None:
        """Take faces out."""
        self.memory.remove(self.number, ids)

    def finish(self, position: int, epoch: int) -> None:
        """Let others read it: it has followed to `position`."""
        copy = self.memory.details(self.number)
        copy["position"], copy["epoch"] = position, epoch
        copy["used"] = copy["fresh"] = time.monotonic()
        copy["state"] = _READY


def _rows(dimensions: int) -> int:
    """Faces of a segment."""
    return min(_VECTOR_BYTES // (4 * dimensions), _ID_BYTES // 16)


def _key(gallery: GalleryRef) -> bytes:
    space = hashlib.blake2b(gallery.space.encode(), digest_size=16).digest()
    return gallery.collection_id.bytes + space
