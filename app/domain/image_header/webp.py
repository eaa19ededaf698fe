"""The header of a WebP file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice

from app.domain.image_header.exif import EXIF_HEADER, exif_orientation
from app.domain.image_header.header import MOST_PARTS, UPRIGHT, ImageFormat, ImageHeader
from app.domain.item_errors import ImageCorrupt, UnsupportedImage

_VP8X_ANIMATION = 0x02
_VP8X_ALPHA = 0x10
_VP8L_SIGNATURE = 0x2F
_VP8_START_CODE = b"\x9d\x01\x2a"


def read_webp(data: bytes) -> ImageHeader:
    """Read all chunks but what is in the pixels'."""
    size: tuple[int, int] | None = None
    orientation, has_alpha = UPRIGHT, False
    for name, chunk in islice(_webp_chunks(data), MOST_PARTS):
        if name == b"VP8X":
            if chunk[0] & _VP8X_ANIMATION:
                raise UnsupportedImage("Animated WebP is not supported; send a still image")
            has_alpha = bool(chunk[0] & _VP8X_ALPHA)
            size = (_uint24(chunk, 4) + 1, _uint24(chunk, 7) + 1)
        elif name == b"VP8L":
            lossless_size, lossless_alpha = _vp8l_header(chunk)
            size, has_alpha = size or lossless_size, has_alpha or lossless_alpha
        elif name == b"VP8 ":
            size = size or _vp8_size(chunk)
        elif name == b"EXIF":
            orientation = exif_orientation(chunk.removeprefix(EXIF_HEADER)) or UPRIGHT
    if size is None or len(data) < 8 + struct.unpack_from("<I", data, 4)[0]:
        raise ImageCorrupt("The WebP file ends early")
    return ImageHeader(ImageFormat.WEBP, *size, orientation, has_alpha)


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 12
    while position + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, position)
        yield name, data[position + 8 : position + 8 + length]
        position += 8 + length + length % 2


def _uint24(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 3], "little")


def _vp8_size(chunk: bytes) -> tuple[int, int]:
    if chunk[3:6] != _VP8_START_CODE:
        raise ImageCorrupt("The WebP frame header is damaged")
    width, height = struct.unpack_from("<HH", chunk, 6)
    return width & 0x3FFF, height & 0x3FFF  # the upper two bits are a scaling hint


def _vp8l_header(chunk: bytes) -> tuple[tuple[int, int], bool]:
    signature, bits = struct.unpack_from("<BI", chunk)
    if signature != _VP8L_SIGNATURE:
        raise ImageCorrupt("The WebP frame header is damaged")
    return ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1), bool(bits >> 28 & 1)
