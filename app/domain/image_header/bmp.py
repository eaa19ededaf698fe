"""The header of a Windows bitmap."""

from __future__ import annotations

import struct

from app.domain.image_header.header import ImageFormat, ImageHeader
from app.domain.item_errors import ImageCorrupt, UnsupportedImage

_CORE_HEADER_BYTES = 12  # OS/2's, with sizes of 16 bits
_WINDOWS_HEADER_BYTES = 40
_PLAIN, _BIT_FIELDS = 0, 3
_WITHIN_OTHERS = (4, 5)  # a JPEG or a PNG, for printers


def read_bmp(data: bytes) -> ImageHeader:
    """Read the size; a negative height says that the rows go downwards."""
    pixels_at, header_bytes = struct.unpack_from("<II", data, 10)
    if header_bytes == _CORE_HEADER_BYTES:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        kind = _PLAIN
    elif header_bytes >= _WINDOWS_HEADER_BYTES:
        width, height, _, bits, kind = struct.unpack_from("<iiHHI", data, 18)
    else:
        raise ImageCorrupt("The bitmap's header is damaged")
    if kind in _WITHIN_OTHERS:
        raise UnsupportedImage("A bitmap that holds another format is not supported")
    row_bytes = (max(width, 0) * bits + 31) // 32 * 4
    if kind in {_PLAIN, _BIT_FIELDS} and pixels_at + row_bytes * abs(height) > len(data):
        raise ImageCorrupt("The bitmap ends early")
    return ImageHeader(ImageFormat.BMP, width, abs(height))
