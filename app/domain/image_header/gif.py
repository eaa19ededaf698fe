"""The header of a GIF file, and where its first frame ends: the others are not looked at."""

from __future__ import annotations

from app.domain.image_header.header import MOST_PARTS, ImageFormat, ImageHeader
from app.domain.item_errors import ImageCorrupt

_SCREEN_BYTES = 13
_FRAME_BYTES = 10
_HAS_COLOURS = 0x80
_EXTENSION, _FRAME = 0x21, 0x2C


def read_gif(data: bytes) -> ImageHeader:
    """Read the canvas's size. Raises IndexError where the first frame is not whole."""
    width, height = (int.from_bytes(data[at : at + 2], "little") for at in (6, 8))
    place = _SCREEN_BYTES + _colours_bytes(data[10])
    for _ in range(MOST_PARTS):
        if data[place] == _FRAME:
            colours = _colours_bytes(data[place + 9])
            _blocks_end(data, place + _FRAME_BYTES + colours + 1)  # a byte on the code's size
            return ImageHeader(ImageFormat.GIF, width, height, has_alpha=True)
        if data[place] != _EXTENSION:
            break
        place = _blocks_end(data, place + 2)
    raise ImageCorrupt("The GIF file has no picture")


def _colours_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & _HAS_COLOURS else 0


def _blocks_end(data: bytes, place: int) -> int:
    while length := data[place]:
        place += length + 1
    return place + 1
