"""The header of a JPEG file; an MPO file begins as one, with its first picture."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice

from app.domain.image_header.exif import EXIF_HEADER, exif_orientation
from app.domain.image_header.header import MOST_PARTS, UPRIGHT, ImageFormat, ImageHeader
from app.domain.item_errors import ImageCorrupt, UnsupportedImage

_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
_MARKER_PREFIX = 0xFF
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = b"\xff\xd9"
_APP1 = 0xE1
_SUPPORTED_FRAMES = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive
_BITS_PER_SAMPLE = 8


def read_jpeg(data: bytes) -> ImageHeader:
    """Read up to the first scan."""
    orientation, size = None, None
    for marker, segment, position in islice(_jpeg_segments(data), MOST_PARTS):
        if marker == _APP1 and segment.startswith(EXIF_HEADER) and orientation is None:
            orientation = exif_orientation(segment[len(EXIF_HEADER) :])
        elif marker in _FRAME_MARKERS:
            size = _jpeg_size(marker, segment)
        elif marker == _START_OF_SCAN and size:
            # Inside a scan 0xFF is always followed by 0 or a restart: this can be the end only.
            if data.find(_END_OF_IMAGE, position) < 0:
                break
            return ImageHeader(ImageFormat.JPEG, *size, orientation or UPRIGHT)
    raise ImageCorrupt("The JPEG file ends early")


def _jpeg_size(marker: int, segment: bytes) -> tuple[int, int]:
    bits, height, width = struct.unpack_from(">BHH", segment)
    if marker not in _SUPPORTED_FRAMES or bits != _BITS_PER_SAMPLE:
        raise UnsupportedImage("Only baseline and progressive 8-bit JPEG is supported")
    return width, height


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield marker, content and position of each segment up to the first scan's header."""
    position = 2
    while data[position] == _MARKER_PREFIX:
        marker = data[position + 1]
        if marker == _MARKER_PREFIX:  # fill bytes may stand before a marker
            position += 1
        elif marker in _BARE_MARKERS:
            position += 2
        else:
            (length,) = struct.unpack_from(">H", data, position + 2)
            yield marker, data[position + 4 : position + 2 + length], position
            position += 2 + length
