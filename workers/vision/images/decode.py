"""Bytes to pixels as people see them: 8-bit BGR, upright, without transparency."""

from __future__ import annotations

from collections.abc import Callable

from app.domain.image_header import ImageHeader
from app.domain.item_errors import ImageCorrupt
from workers.vision.arrays import Pixels
from workers.vision.images.raw_decode import decode_raw

# Decodes bytes whose header was read and accepted; raises ItemError subclasses.
Decoder = Callable[[bytes, ImageHeader], Pixels]


def decode_in_process(data: bytes, header: ImageHeader) -> Pixels:
    """Decode in this process: for trusted bytes, and where a helper process is not wanted.

    Raises:
        ImageCorrupt: the pixels cannot be decoded, or are not what the header promised.
    """
    try:
        pixels = decode_raw(data, header.orientation, has_alpha=header.has_alpha)
    except ValueError as error:
        raise ImageCorrupt(str(error)) from error
    if (pixels.shape[1], pixels.shape[0]) != header.displayed_size:
        raise ImageCorrupt("The image does not have the size its header states")
    return pixels
