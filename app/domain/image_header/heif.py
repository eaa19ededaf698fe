"""The header of HEIC and AVIF files: boxes of ISO/IEC 14496-12, used as ISO/IEC 23008-12 says.

The size and the turns are properties of the primary item; EXIF beside them tells what was done.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from app.domain.image_header.header import (
    MOST_PARTS,
    UPRIGHT,
    ImageFormat,
    ImageHeader,
    turned_size,
)
from app.domain.item_errors import ImageCorrupt

_AVIF_BRANDS = frozenset({b"avif"})
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1"})
_FULL_BOX_BYTES = 4  # version and flags
_ALPHA_NAMES = (b"urn:mpeg:hevc:2015:auxid:1\0", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")
_EIGHT_BITS = 8

# What a quarter turn to the left, and a mirroring, make of each EXIF orientation: 8 is a quarter
# turn to the left, 2 has left and right exchanged, 4 top and bottom.
_TURNED_LEFT = {1: 8, 8: 3, 3: 6, 6: 1, 2: 5, 5: 4, 4: 7, 7: 2}
_MIRRORED = (
    {1: 4, 4: 1, 2: 3, 3: 2, 5: 8, 8: 5, 6: 7, 7: 6},
    {1: 2, 2: 1, 3: 4, 4: 3, 5: 6, 6: 5, 7: 8, 8: 7},
)

Boxes = list[tuple[bytes, bytes]]


def is_heif(data: bytes) -> bool:
    """Whether it is a file of boxes that holds a still picture."""
    return data[4:8] == b"ftyp" and bool(_brands(data) & (_AVIF_BRANDS | _HEIC_BRANDS))


def read_heif(data: bytes) -> ImageHeader:
    """Read the primary item's properties. Raises KeyError where there is none."""
    kind = ImageFormat.AVIF if _brands(data) & _AVIF_BRANDS else ImageFormat.HEIC
    meta = dict(_boxes(dict(_boxes(data))[b"meta"][_FULL_BOX_BYTES:]))
    item_properties = dict(_boxes(meta[b"iprp"]))
    known = list(_boxes(item_properties[b"ipco"]))
    own = [known[index - 1] for index in _associated(item_properties[b"ipma"], _primary(meta))]
    width, height = struct.unpack_from(">II", dict(own)[b"ispe"], _FULL_BOX_BYTES)
    if kind is ImageFormat.AVIF:
        return ImageHeader(kind, width, height, _orientation(own), _has_alpha(known, own))
    # Its decoder turns the picture, and lays aside what is cut off, itself.
    return ImageHeader(kind, *turned_size(*_cut((width, height), own), _orientation(own)), UPRIGHT)


def _brands(data: bytes) -> set[bytes]:
    length = min(int.from_bytes(data[:4], "big"), 4 * MOST_PARTS)
    return {data[8:12], *(data[place : place + 4] for place in range(16, length, 4))}


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the content of each box.

    Raises:
        ImageCorrupt: the data end before a box does.
    """
    place = 0
    for _ in range(MOST_PARTS):
        if place >= len(data):
            return
        length, name = struct.unpack_from(">I4s", data, place)
        begin = place + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, begin)
            begin += 8
        end = place + length if length else len(data)
        if not begin <= end <= len(data):
            raise ImageCorrupt("The file ends early")
        yield name, data[begin:end]
        place = end


def _primary(meta: dict[bytes, bytes]) -> int:
    item = meta[b"pitm"]
    return int(struct.unpack_from(">I" if item[0] else ">H", item, _FULL_BOX_BYTES)[0])


def _associated(box: bytes, wanted: int) -> list[int]:
    """The numbers, from 1, of an item's properties, in the order in which they apply."""
    item_format = ">I" if box[0] else ">H"
    index_bytes = 2 if box[3] & 1 else 1
    (count,) = struct.unpack_from(">I", box, _FULL_BOX_BYTES)
    place = _FULL_BOX_BYTES + 4
    for _ in range(min(count, MOST_PARTS)):
        (item,) = struct.unpack_from(item_format, box, place)
        place += struct.calcsize(item_format)
        ends = place + 1 + box[place] * index_bytes
        if item == wanted:
            mask = (1 << (8 * index_bytes - 1)) - 1  # the highest bit says that it is essential
            starts = range(place + 1, ends, index_bytes)
            numbers = (int.from_bytes(box[at : at + index_bytes], "big") & mask for at in starts)
            return [number for number in numbers if number]
        place = ends
    raise ImageCorrupt("The file tells nothing of its picture")


def _orientation(properties: Boxes) -> int:
    orientation = UPRIGHT
    for name, content in properties:
        if name == b"irot":
            for _ in range(content[0] & 3):
                orientation = _TURNED_LEFT[orientation]
        elif name == b"imir":
            orientation = _MIRRORED[content[0] & 1][orientation]
    return orientation


def _cut(size: tuple[int, int], properties: Boxes) -> tuple[int, int]:
    """The size of the clean aperture, which is stated in fractions, if there is one."""
    for name, content in properties:
        if name == b"clap":
            width, in_width, height, in_height = struct.unpack_from(">IIII", content)
            if in_width and in_height:
                return round(width / in_width), round(height / in_height)
    return size


def _has_alpha(known: Boxes, own: Boxes) -> bool:
    """Whether there is an alpha plane that OpenCV scales rightly: it does so for 8 bits alone."""
    depths = dict(own).get(b"pixi", b"")[_FULL_BOX_BYTES + 1 :]
    names = (content[_FULL_BOX_BYTES:] for name, content in known if name == b"auxC")
    return set(depths) <= {_EIGHT_BITS} and any(name.startswith(_ALPHA_NAMES) for name in names)
