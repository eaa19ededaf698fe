"""Directories of TIFF, which EXIF is written in too."""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import dataclass

EXIF_HEADER = b"Exif\x00\x00"

_ORIENTATION_TAG = 0x0112
_ORIENTATIONS = range(1, 9)
_ENTRY_BYTES = 12
_FORMATS = {1: "B", 3: "H", 4: "I"}  # BYTE, SHORT and LONG: what numbers of a directory come in
_INLINE_BYTES = 4


@dataclass(frozen=True)
class TiffDirectory:
    """The first directory of a TIFF block: the numbers of each tag, where they are read."""

    data: bytes
    order: str
    entries: dict[int, tuple[int, int, int]]

    @classmethod
    def read(cls, data: bytes) -> TiffDirectory | None:
        """Read the tags; None when it is no TIFF block. Raises struct.error where it ends early."""
        order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(data[:4])
        if order is None:
            return None
        (directory,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, directory)
        entries: dict[int, tuple[int, int, int]] = {}
        for place in range(directory + 2, directory + 2 + count * _ENTRY_BYTES, _ENTRY_BYTES):
            tag, kind, number = struct.unpack_from(f"{order}HHI", data, place)
            struct.unpack_from(f"{order}I", data, place + 8)  # the entry is whole
            entries.setdefault(tag, (kind, number, place + 8))
        return cls(data, order, entries)

    def numbers(self, tag: int, most: int) -> tuple[int, ...]:
        """The first `most` numbers of a tag; none where it is not there or holds no numbers.

        Raises:
            struct.error: they lie outside of the data.
        """
        kind, count, place = self.entries.get(tag, (0, 0, 0))
        letter = _FORMATS.get(kind)
        if letter is None or not count:
            return ()
        if count * struct.calcsize(letter) > _INLINE_BYTES:
            (place,) = struct.unpack_from(f"{self.order}I", self.data, place)
        return struct.unpack_from(f"{self.order}{min(count, most)}{letter}", self.data, place)

    def number(self, tag: int, default: int) -> int:
        """The first number of a tag."""
        return next(iter(self.numbers(tag, 1)), default)

    @property
    def orientation(self) -> int | None:
        """The EXIF orientation; None where there is none, or one that does not exist."""
        value = self.number(_ORIENTATION_TAG, 0)
        return value if value in _ORIENTATIONS else None


def exif_orientation(tiff: bytes) -> int | None:
    """Return the orientation in the first directory of a TIFF block; None when it states none.

    Damaged EXIF is no reason to refuse an image: viewers show such images upright.
    """
    with suppress(struct.error):
        if directory := TiffDirectory.read(tiff):
            return directory.orientation
    return None
