"""Cuts faces out of pictures in programs of their own: this process loads no decoder.

Whatever a picture does, it costs one program, which is replaced with the next request. They have
none of this process's environment, so that no picture finds a secret there.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import weakref
from pathlib import Path
from queue import Empty, LifoQueue

from app.config import Settings
from app.domain.face_crop import ANSWER, REQUEST, SECONDS, CropOutcome, CropRequest
from app.domain.image_header import ImageHeader
from app.domain.item_errors import ImageCorrupt, TooManyPixels
from app.domain.request_errors import Unavailable

# By its name: the application never imports the workers.
_PROGRAM = "workers.vision.images.crop_helper"
_ROOT = Path(__file__).parents[2]
_KEPT_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "LANG")
_THREADS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
_START_S = 30.0  # a loaded machine imports slowly
_PATIENCE_S = 5.0  # for a program that is free
_MOST_BYTES = 1 << 21  # of a JPEG of 512 x 512


class _ProgramFailed(Exception):
    """It died, hung or talked nonsense, and is to be ended."""


class _CropProgram:
    """One program; not for several threads at a time."""

    def __init__(self, settings: Settings) -> None:
        self._ours, theirs = socket.socketpair()
        bounds = map(str, (settings.max_image_pixels, settings.max_upload_size))
        kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own program; its arguments are numbers
                [sys.executable, "-m", _PROGRAM, *bounds],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.DEVNULL,  # decoders complain there about every damaged picture
                cwd=_ROOT,
                env=kept | _THREADS,
            )
        self.close = weakref.finalize(self, _end, self._process, self._ours)
        try:
            self._answer(time.monotonic() + _START_S)
        except (OSError, _ProgramFailed):
            self.close()
            raise

    def crop(self, content: bytes, header: ImageHeader, wanted: CropRequest) -> bytes:
        """The JPEG; OSError or _ProgramFailed where the program is of no use any more."""
        deadline = time.monotonic() + SECONDS
        self._ours.settimeout(SECONDS)
        self._ours.sendall(
            REQUEST.pack(
                len(content), *wanted.box, wanted.size, header.orientation, header.has_alpha
            )
        )
        self._ours.sendall(content)
        outcome, jpeg = self._answer(deadline)
        if outcome == CropOutcome.TOO_LARGE:
            raise TooManyPixels("Decoding the image takes more memory than is allowed")
        if outcome != CropOutcome.CROPPED:
            raise ImageCorrupt("The face cannot be cut out of the image")
        return jpeg

    def _answer(self, deadline: float) -> tuple[int, bytes]:
        outcome, length = ANSWER.unpack(self._read(ANSWER.size, deadline))
        if length > _MOST_BYTES:
            raise _ProgramFailed
        return outcome, self._read(length, deadline)

    def _read(self, count: int, deadline: float) -> bytes:
        read = bytearray()
        while len(read) < count:
            self._ours.settimeout(max(0.001, deadline - time.monotonic()))
            if not (part := self._ours.recv(count - len(read))):
                raise _ProgramFailed
            read += part
        return bytes(read)


class FaceCropper:
    """At most FACE_CROP_PROGRAMS programs, each started when it is needed first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._idle: LifoQueue[_CropProgram | None] = LifoQueue()
        for _ in range(settings.face_crop_programs):
            self._idle.put(None)

    def crop(self, content: bytes, header: ImageHeader, wanted: CropRequest) -> bytes:
        """Cut a face out, as a JPEG without any metadata.

        Raises:
            Unavailable: all programs are busy, or the one that was asked failed.
            ImageCorrupt, TooManyPixels: the picture cannot be decoded within the limits.
        """
        try:
            program = self._idle.get(timeout=_PATIENCE_S)
        except Empty:
            raise Unavailable("Other faces are being cut out; try again", retry_after=2) from None
        try:
            program = program or _CropProgram(self._settings)
            return program.crop(content, header, wanted)
        except (OSError, _ProgramFailed) as error:  # a time-out is an OSError
            if program is not None:
                program.close()
                program = None
            raise Unavailable("The face could not be cut out; try again", retry_after=5) from error
        finally:
            self._idle.put(program)

    def close(self) -> None:
        """End the idle programs; the next request starts new ones."""
        for _ in range(self._idle.qsize()):
            if program := self._idle.get():
                program.close()
            self._idle.put(None)


def _end(process: subprocess.Popen[bytes], ours: socket.socket) -> None:
    ours.close()
    process.kill()
    process.wait()
