"""The program that cuts faces out of untrusted pictures for the API, in a process of its own.

As decode_helper it imports only the decoder, has limits on memory and processor time, and may die.
Requests and pictures come through its standard input, JPEGs leave through its standard output. It
ends when its parent closes them or dies.
"""

from __future__ import annotations

import sys

from app.domain.face_crop import ANSWER, MARGIN, REQUEST, SECONDS, CropOutcome
from workers.vision.arrays import Pixels
from workers.vision.images.decode_helper import limit_memory, limit_time
from workers.vision.images.decode_limits import DecodeLimits
from workers.vision.images.raw_decode import decode_raw
from workers.vision.images.shrink import resized

_JPEG_QUALITY = 90


def main(max_pixels: int, max_bytes: int) -> None:
    """Answer requests until there are no more."""
    import cv2

    cv2.setNumThreads(1)
    limit_memory(DecodeLimits(max_pixels=max_pixels, max_bytes=max_bytes).memory_bytes)
    _answer(CropOutcome.READY)
    while len(request := sys.stdin.buffer.read(REQUEST.size)) == REQUEST.size:
        limit_time(int(SECONDS) + 1)
        length, x, y, width, height, size, orientation, alpha = REQUEST.unpack(request)
        data = sys.stdin.buffer.read(length)
        try:
            pixels = decode_raw(data, orientation, has_alpha=bool(alpha))
            _answer(CropOutcome.CROPPED, _jpeg(cut_out(pixels, (x, y, width, height), size)))
        except ValueError:
            _answer(CropOutcome.CORRUPT)
        except MemoryError:
            _answer(CropOutcome.TOO_LARGE)


def cut_out(pixels: Pixels, box: tuple[int, int, int, int], size: int) -> Pixels:
    """The square around a box, with its margin, as far as the picture goes; never enlarged.

    Raises:
        ValueError: the box is not in the picture.
    """
    x, y, width, height = box
    half = round(max(width, height) * (0.5 + MARGIN))
    middle_x, middle_y = x + width // 2, y + height // 2
    rows = slice(max(0, middle_y - half), max(0, middle_y + half))
    face = pixels[rows, max(0, middle_x - half) : max(0, middle_x + half)]
    if not face.size:
        raise ValueError("The box is not in the picture")
    return resized(face, min(1.0, size / max(face.shape[:2])))


def _jpeg(face: Pixels) -> bytes:
    import cv2

    _, encoded = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return encoded.tobytes()


def _answer(outcome: CropOutcome, jpeg: bytes = b"") -> None:
    sys.stdout.buffer.write(ANSWER.pack(outcome, len(jpeg)) + jpeg)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
