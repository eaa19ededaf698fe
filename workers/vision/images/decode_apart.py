"""Decodes in helper processes, so that no image can hang, bloat or kill the worker.

Celery's soft time limits do not interrupt C code and its children may not start `multiprocessing`
children: the helpers are plain programs, kept running, and replaced when an image ends one.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import weakref
from contextlib import suppress
from pathlib import Path
from queue import LifoQueue
from typing import IO

import numpy as np

from app.domain.image_header import ImageHeader
from app.domain.item_errors import (
    DecodeTimeout,
    ImageCorrupt,
    ItemError,
    TooManyPixels,
)
from workers.vision.arrays import Pixels
from workers.vision.images.decode_helper import ANSWER, REQUEST, Outcome
from workers.vision.images.decode_limits import DecodeLimits

_CHANNELS = 3
_START_SECONDS = 30.0  # a loaded machine imports slowly; this is no property of an image
_KEPT_BYTES = 1 << 25  # a memory file that grew above this is emptied again
_HELPER_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # Keep the memory of one image for the next: as glibc has it, every image's pages are given back
    # and faulted in anew, which takes longer than decoding a small JPEG.
    "MALLOC_MMAP_THRESHOLD_": str(1 << 25),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 26),
}
_PROGRAM = "workers.vision.images.decode_helper"
_ROOT = Path(__file__).parents[3]


class HelperDied(Exception):
    """The helper ended instead of answering."""


class HelperNotStarted(Exception):
    """No helper could be started: the machine is to blame, and no image."""


class DecodeHelper:
    """One helper process; raises HelperNotStarted. Not for several threads at a time."""

    def __init__(self, limits: DecodeLimits) -> None:
        self._limits = limits
        self._data_file = os.memfd_create("facequeue-data")
        self._pixel_file = os.memfd_create("facequeue-pixels")
        files = (self._data_file, self._pixel_file)
        bounds = (limits.memory_bytes, int(limits.longest_seconds) + 1)
        self._process = subprocess.Popen(  # noqa: S603 - our own program; its arguments are numbers
            [
                sys.executable,
                "-m",
                "workers.vision.images.decode_helper",
                *map(str, files + bounds),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # decoders complain there about every damaged image
            pass_fds=files,
            cwd=_ROOT,
            env={**os.environ, **_HELPER_ENVIRONMENT},
        )
        self._finish = weakref.finalize(self, _end, self._process, files)
        try:
            self._answer(_START_SECONDS)
        except (HelperDied, DecodeTimeout) as error:
            self.close()
            raise HelperNotStarted("The decode helper did not start") from error

    def decode(self, data: bytes, header: ImageHeader) -> Pixels:
        """Decode one image.

        Raises:
            DecodeTimeout: it took longer than allowed; the helper is gone.
            HelperDied: the helper ended; it is gone too.
            ImageCorrupt, TooManyPixels: the helper's answer; it goes on.
        """
        size = header.width * header.height * _CHANNELS
        os.truncate(self._data_file, 0)
        os.pwrite(self._data_file, data, 0)
        self._ask(REQUEST.pack(len(data), size, header.orientation, header.has_alpha))
        outcome, width, height = self._answer(self._limits.seconds_for(header))
        if outcome == Outcome.TOO_LARGE:
            raise TooManyPixels("Decoding the image takes more memory than is allowed")
        if outcome != Outcome.DECODED or (width, height) != header.displayed_size:
            raise ImageCorrupt("The image cannot be decoded")
        return self._pixels(size, height, width)

    def cpu_seconds(self) -> float:
        """Return the processor time that the process has used."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").split()
        return sum(int(ticks) for ticks in stat[13:15]) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End the process. Safe to call twice."""
        self._finish()

    def _ask(self, request: bytes) -> None:
        stream = _stream(self._process.stdin)
        try:
            stream.write(request)
            stream.flush()
        except BrokenPipeError as error:
            raise HelperDied from error

    def _answer(self, seconds: float) -> tuple[int, int, int]:
        stream = _stream(self._process.stdout)
        ready, _, _ = select.select([stream], [], [], seconds)
        if not ready:
            raise DecodeTimeout(f"The image could not be decoded within {seconds:g} seconds")
        answer = stream.read(ANSWER.size)
        if len(answer) != ANSWER.size:
            raise HelperDied
        outcome, width, height = ANSWER.unpack(answer)
        return outcome, width, height

    def _pixels(self, size: int, height: int, width: int) -> Pixels:
        """Copy the pixels out by reading: a mapping could be pulled away by a hostile helper."""
        pixels = np.empty(size, dtype=np.uint8)
        rest, place = pixels.data, 0
        while rest:
            count = os.preadv(self._pixel_file, [rest], place)
            if not count:
                raise ImageCorrupt("The image cannot be decoded")
            rest, place = rest[count:], place + count
        if size > _KEPT_BYTES:
            os.truncate(self._pixel_file, 0)
        return pixels.reshape(height, width, _CHANNELS)


class ApartDecoder:
    """A Decoder over `count` helpers, for any number of threads."""

    def __init__(self, count: int, limits: DecodeLimits) -> None:
        self._limits = limits
        self._idle: LifoQueue[DecodeHelper | None] = LifoQueue()
        for _ in range(count):
            self._idle.put(DecodeHelper(limits))

    def __call__(self, data: bytes, header: ImageHeader) -> Pixels:
        """Decode in the next idle helper; raises ItemError subclasses, or HelperNotStarted.

        A helper that an image ended is replaced when the next image comes, so that what kills
        helpers by the hundred starts no more than it kills.
        """
        helper = self._idle.get()
        try:
            helper = helper or DecodeHelper(self._limits)
            return helper.decode(data, header)
        except (DecodeTimeout, HelperDied) as error:
            if helper is not None:
                helper.close()
                helper = None
            if isinstance(error, ItemError):
                raise
            raise ImageCorrupt("The image made the decoder fail") from error
        finally:
            self._idle.put(helper)

    def cpu_seconds(self) -> float:
        """Return the processor time that the helpers which idle now have used."""
        return sum(helper.cpu_seconds() for helper in list(self._idle.queue) if helper)

    def close(self) -> None:
        """End the idle helpers. The decoder can still be used: it starts new ones."""
        for _ in range(self._idle.qsize()):
            if helper := self._idle.get():
                helper.close()
            self._idle.put(None)


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise HelperDied
    return stream


def _end(process: subprocess.Popen[bytes], files: tuple[int, int]) -> None:
    process.kill()
    with suppress(BrokenPipeError):
        process.communicate()
    for file in files:
        os.close(file)
