"""The header of a PNG file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice

from app.domain.image_header.exif import exif_orientation
from app.domain.image_header.header import MOST_PARTS, UPRIGHT, ImageFormat, ImageHeader
from app.domain.item_errors import ImageCorrupt, UnsupportedImage

_PNG_SIGNATURE_BYTES = 8
_PNG_ALPHA_TYPES = frozenset({4, 6})


def read_png(data: bytes) -> ImageHeader:
    """Read all chunks but what is in the pixels'."""
    (width, height, _depth, colour_type) = struct.unpack_from(">IIBB", data, 16)
    if data[12:16] != b"IHDR":
        raise ImageCorrupt("The PNG does not begin with its header")
    orientation, has_alpha = UPRIGHT, colour_type in _PNG_ALPHA_TYPES
    name = b""
    for name, chunk in islice(_png_chunks(data), MOST_PARTS):
        if name == b"acTL":
            raise UnsupportedImage("Animated PNG is not supported; send a still image")
        if name == b"tRNS":
            has_alpha = True
        elif name == b"eXIf":
            orientation = exif_orientation(chunk) or UPRIGHT
    if name != b"IEND":
        raise ImageCorrupt("The PNG file ends early")
    return ImageHeader(ImageFormat.PNG, width, height, orientation, has_alpha)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = _PNG_SIGNATURE_BYTES
    name = b""
    while position + 12 <= len(data) and name != b"IEND":
        length, name = struct.unpack_from(">I4s", data, position)
        yield name, data[position + 8 : position + 8 + (0 if name == b"IDAT" else length)]
        position += length + 12
