"""Which reader a file is for."""

from __future__ import annotations

import struct
from collections.abc import Callable

from app.domain.image_header.bmp import read_bmp
from app.domain.image_header.gif import read_gif
from app.domain.image_header.header import MAX_PIXELS, ImageHeader
from app.domain.image_header.heif import is_heif, read_heif
from app.domain.image_header.jpeg import read_jpeg
from app.domain.image_header.png import read_png
from app.domain.image_header.tiff import read_tiff
from app.domain.image_header.webp import read_webp
from app.domain.item_errors import ImageCorrupt, NotAnImage, TooManyPixels, UnsupportedImage

_SUPPORTED = "JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP or GIF"
_READERS = (
    (b"\xff\xd8\xff", read_jpeg),
    (b"\x89PNG\r\n\x1a\n", read_png),
    (b"GIF87a", read_gif),
    (b"GIF89a", read_gif),
    (b"BM", read_bmp),
    (b"II*\x00", read_tiff),
    (b"MM\x00*", read_tiff),
)
# Known by their first bytes, and refused by name, so that the client learns what to convert.
_OTHER_FORMATS = (
    (0, b"%PDF", "PDF"),
    (0, b"\x00\x00\x00\x0cjP", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (0, b"II+\x00", "BigTIFF"),
    (0, b"MM\x00+", "BigTIFF"),
    (0, b"8BPS", "Photoshop"),
    (0, b"<svg", "SVG"),
    (0, b"FUJIFILMCCD-RAW", "A camera's raw file"),
    (0, b"IIU\x00", "A camera's raw file"),
    (0, b"IIRO", "A camera's raw file"),
    (8, b"crx ", "A camera's raw file"),
    (8, b"avis", "A sequence of AVIF pictures"),
    (8, b"hevc", "A sequence of HEIC pictures"),
    (4, b"ftyp", "Video"),
)


def read_image_header(data: bytes, *, max_pixels: int = MAX_PIXELS) -> ImageHeader:
    """Read the header of an image file.

    Raises:
        NotAnImage: the first bytes are those of no image format.
        UnsupportedImage: an image, but of another format, or an animation.
        ImageCorrupt: the file ends early, or its header contradicts itself.
        TooManyPixels: width times height is above `max_pixels`.
    """
    try:
        header = _reader_for(data)(data)
    except (struct.error, IndexError, KeyError) as error:
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
    for magic, reader in _READERS:
        if data.startswith(magic):
            return reader
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return read_webp
    if is_heif(data):
        return read_heif
    for offset, magic, name in _OTHER_FORMATS:
        if data.startswith(magic, offset):
            raise UnsupportedImage(f"{name} is not supported; send {_SUPPORTED}")
    raise NotAnImage(f"The file is not an image: send {_SUPPORTED}")
