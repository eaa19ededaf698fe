"""A face cut out of its picture, and how the program that does it is asked."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

SMALLEST, USUAL, LARGEST = 32, 160, 512  # pixels of the longer side
SECONDS = 15.0  # after which a picture is given up
MARGIN = 0.3  # of the box's longer side, around it

# Bytes of the picture, which follow; box; longest side; EXIF orientation; has alpha.
REQUEST = struct.Struct(">QiiiiHBB")
ANSWER = struct.Struct(">BI")  # outcome, bytes of the JPEG, which follow


class CropOutcome(IntEnum):
    """How a request ended."""

    READY = 0
    CROPPED = 1
    CORRUPT = 2
    TOO_LARGE = 3


@dataclass(frozen=True)
class CropRequest:
    """`box` is x, y, width, height in pixels of the picture as displayed; `size` at most a side."""

    box: tuple[int, int, int, int]
    size: int
