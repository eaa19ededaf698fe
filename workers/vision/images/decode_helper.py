"""The program that decodes untrusted bytes, in a process of its own.

It imports only the decoder, has a limit on memory and one on processor time, and may die: its
parent (decode_apart) loses one image. Bytes and pixels pass through two memory files, requests
and answers through the standard streams. It ends when its parent closes the requests or dies.
"""

from __future__ import annotations

import os
import resource
import struct
import sys
from enum import IntEnum
from pathlib import Path

REQUEST = struct.Struct("<QQBB")  # bytes of data, bytes of pixels expected, orientation, has alpha
ANSWER = struct.Struct("<BII")  # outcome, width, height


class Outcome(IntEnum):
    """How a request ended."""

    READY = 0
    DECODED = 1
    CORRUPT = 2
    TOO_LARGE = 3


def main(data_file: int, pixel_file: int, memory_bytes: int, cpu_seconds: int) -> None:
    """Answer requests until there are no more."""
    import cv2

    cv2.setNumThreads(1)
    limit_memory(memory_bytes)
    _answer(Outcome.READY)
    while len(request := sys.stdin.buffer.read(REQUEST.size)) == REQUEST.size:
        limit_time(cpu_seconds)
        _serve(*REQUEST.unpack(request), data_file=data_file, pixel_file=pixel_file)


def _serve(
    length: int, expected: int, orientation: int, alpha: int, *, data_file: int, pixel_file: int
) -> None:
    from workers.vision.images.raw_decode import decode_raw

    try:
        pixels = decode_raw(os.pread(data_file, length, 0), orientation, has_alpha=bool(alpha))
    except ValueError:
        _answer(Outcome.CORRUPT)
        return
    except MemoryError:
        _answer(Outcome.TOO_LARGE)
        return
    if pixels.nbytes != expected:
        _answer(Outcome.CORRUPT)
        return
    rest, place = pixels.reshape(-1).data, 0
    while rest:
        written = os.pwrite(pixel_file, rest, place)
        rest, place = rest[written:], place + written
    _answer(Outcome.DECODED, pixels.shape[1], pixels.shape[0])


def _answer(outcome: Outcome, width: int = 0, height: int = 0) -> None:
    sys.stdout.buffer.write(ANSWER.pack(outcome, width, height))
    sys.stdout.buffer.flush()


def limit_memory(memory_bytes: int) -> None:
    """Allow this much address space on top of what the libraries have mapped already."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def limit_time(cpu_seconds: int) -> None:
    """Let the kernel end this process if one request takes longer: the parent may be gone."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(usage.ru_utime + usage.ru_stime) + cpu_seconds + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
