"""Reads what an image says about itself, without decoding a pixel.

Format by magic bytes, size, EXIF orientation, transparency: for JPEG, PNG and WebP alike. Pure
Python over the first bytes, so that it can stand in front of every decoder and every upload: the
limit on pixels holds before anything is allocated.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from app.domain.item_errors import (
    ImageCorrupt,
    NotAnImage,
    TooManyPixels,
    UnsupportedImage,
)

MAX_PIXELS = 108_000_000  # 12,000 x 9,000: what phones of 108 megapixels make

_EXIF_HEADER = b"Exif\x00\x00"
_ORIENTATION_TAG = 0x0112
_UPRIGHT = 1
_ORIENTATIONS = range(1, 9)
_MAX_PARTS = 10_000  # segments or chunks looked at: ten million empty ones would take seconds

# Known by their first bytes, and refused by name, so that the client learns what to convert.
_OTHER_FORMATS = (
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (0, b"%PDF", "PDF"),
    (0, b"\x00\x00\x00\x0cjP", "JPEG 2000"),
    (0, b"\xff\x0a", "JPEG XL"),
    (4, b"ftypheic", "HEIC"),
    (4, b"ftypheix", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
    (4, b"ftypavif", "AVIF"),
)


class ImageFormat(StrEnum):
    """The formats that FaceQueue decodes."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"

    @property
    def content_type(self) -> str:
        """The media type, as HTTP names it."""
        return f"image/{self.value}"


@dataclass(frozen=True)
class ImageHeader:
    """What an image says about itself.

    `width` and `height` are in pixels as stored; `orientation` is the EXIF value, 1 to 8.
    """

    format: ImageFormat
    width: int
    height: int
    orientation: int = _UPRIGHT
    has_alpha: bool = False

    @property
    def content_type(self) -> str:
        """The media type, as HTTP names it."""
        return self.format.content_type

    @property
    def displayed_size(self) -> tuple[int, int]:
        """Width and height after the orientation is applied: values 5 to 8 swap the axes."""
        swapped = self.orientation >= 5  # noqa: PLR2004 - EXIF numbers the transposed ones 5 to 8
        return (self.height, self.width) if swapped else (self.width, self.height)


def read_image_header(data: bytes, *, max_pixels: int = MAX_PIXELS) -> ImageHeader:
    """Read the header of a JPEG, PNG or WebP file.

    Raises:
        NotAnImage: the first bytes are those of no image format.
        UnsupportedImage: an image, but of another format, or an animation.
        ImageCorrupt: the file ends early, or its header contradicts itself.
        TooManyPixels: width times height is above `max_pixels`.
    """
    try:
        header = _reader_for(data)(data)
    except (struct.error, IndexError) as error:
        raise ImageCorrupt("The file ends inside its header") from error
    if header.width < 1 or header.height < 1:
        raise ImageCorrupt("The header gives the image no pixels")
    if header.width * header.height > max_pixels:
        raise TooManyPixels(
            f"The image has {header.width} x {header.height} pixels; "
            f"at most {max_pixels:,} are accepted"
        )
    return header


def _reader_for(data: bytes) -> Callable[[bytes], ImageHeader]:
    if data.startswith(b"\xff\xd8\xff"):
        return _read_jpeg
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _read_png
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _read_webp
    for offset, magic, name in _OTHER_FORMATS:
        if data.startswith(magic, offset):
            raise UnsupportedImage(f"{name} is not supported; send JPEG, PNG or WebP")
    raise NotAnImage("The file is not a JPEG, PNG or WebP image")


# --- JPEG -------------------------------------------------------------------------------------

_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
_MARKER_PREFIX = 0xFF
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = b"\xff\xd9"
_APP1 = 0xE1
_SUPPORTED_FRAMES = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive
_BITS_PER_SAMPLE = 8


def _read_jpeg(data: bytes) -> ImageHeader:
    orientation, size = None, None
    for marker, segment, position in islice(_jpeg_segments(data), _MAX_PARTS):
        if marker == _APP1 and segment.startswith(_EXIF_HEADER) and orientation is None:
            orientation = _exif_orientation(segment[len(_EXIF_HEADER) :])
        elif marker in _FRAME_MARKERS:
            size = _jpeg_size(marker, segment)
        elif marker == _START_OF_SCAN and size:
            # Inside a scan 0xFF is always followed by 0 or a restart: this can be the end only.
            if data.find(_END_OF_IMAGE, position) < 0:
                break
            return ImageHeader(ImageFormat.JPEG, *size, orientation or _UPRIGHT)
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


# --- PNG --------------------------------------------------------------------------------------

_PNG_SIGNATURE_BYTES = 8
_PNG_ALPHA_TYPES = frozenset({4, 6})


def _read_png(data: bytes) -> ImageHeader:
    (width, height, _depth, colour_type) = struct.unpack_from(">IIBB", data, 16)
    if data[12:16] != b"IHDR":
        raise ImageCorrupt("The PNG does not begin with its header")
    orientation, has_alpha = _UPRIGHT, colour_type in _PNG_ALPHA_TYPES
    name = b""
    for name, chunk in islice(_png_chunks(data), _MAX_PARTS):
        if name == b"acTL":
            raise UnsupportedImage("Animated PNG is not supported; send a still image")
        if name == b"tRNS":
            has_alpha = True
        elif name == b"eXIf":
            orientation = _exif_orientation(chunk) or _UPRIGHT
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


# --- WebP -------------------------------------------------------------------------------------

_VP8X_ANIMATION = 0x02
_VP8X_ALPHA = 0x10
_VP8L_SIGNATURE = 0x2F
_VP8_START_CODE = b"\x9d\x01\x2a"


def _read_webp(data: bytes) -> ImageHeader:
    size: tuple[int, int] | None = None
    orientation, has_alpha = _UPRIGHT, False
    for name, chunk in islice(_webp_chunks(data), _MAX_PARTS):
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
            orientation = _exif_orientation(chunk.removeprefix(_EXIF_HEADER)) or _UPRIGHT
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


# --- EXIF -------------------------------------------------------------------------------------


def _exif_orientation(tiff: bytes) -> int | None:
    """Return the orientation in the first directory of a TIFF block; None when it states none.

    Damaged EXIF is no reason to refuse an image: viewers show such images upright.
    """
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None:
        return None
    try:
        (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, directory)
        for index in range(count):
            tag, _kind, _number, value = struct.unpack_from(
                f"{order}HHIH", tiff, directory + 2 + 12 * index
            )
            if tag == _ORIENTATION_TAG:
                return value if value in _ORIENTATIONS else None
    except struct.error:
        return None
    return None
