"""Bytes to pixels as people see them: 8-bit BGR, upright, without transparency."""

from __future__ import annotations

from typing import Protocol

from app.domain.errors import ImageCorrupt
from app.domain.image_header import ImageHeader
from workers.vision.arrays import Pixels
from workers.vision.raw_decode import decode_raw
from workers.vision.reduced import reduced


class Decoder(Protocol):
    """Decodes bytes whose header was read and accepted; raises ItemError subclasses."""

    def __call__(self, data: bytes, header: ImageHeader, reduction: int = 1) -> Pixels:
        """Return the pixels, with each side divided by `reduction` (see reduced.py)."""


def decode_in_process(data: bytes, header: ImageHeader, reduction: int = 1) -> Pixels:
    """Decode in this process: for trusted bytes, and where a helper process is not wanted.

    Raises:
        ImageCorrupt: the pixels cannot be decoded, or are not what the header promised.
    """
    try:
        pixels = decode_raw(
            data, header.orientation, has_alpha=header.has_alpha, reduction=reduction
        )
    except ValueError as error:
        raise ImageCorrupt(str(error)) from error
    if (pixels.shape[1], pixels.shape[0]) != reduced(header, reduction).displayed_size:
        raise ImageCorrupt("The image does not have the size its header states")
    return pixels
