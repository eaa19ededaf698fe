"""The header of a TIFF file: of its first page."""

from __future__ import annotations

from app.domain.image_header.exif import TiffDirectory
from app.domain.image_header.header import UPRIGHT, ImageFormat, ImageHeader, turned_size
from app.domain.item_errors import ImageCorrupt, UnsupportedImage

_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION = 254, 256, 257, 258, 259
_STRIPS = (273, 279)  # where they begin, and how long they are
_TILES = (324, 325)
_SAMPLE_FORMAT, _DNG_VERSION = 339, 50706
_REDUCED = 1  # a small copy of a picture that is elsewhere in the file
_UNSIGNED = 1
_SUPPORTED_BITS = frozenset({1, 8, 16})
# None, the three of fax machines, LZW, JPEG, Deflate under both its numbers, PackBits.
_SUPPORTED_COMPRESSIONS = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946})
_MOST_STRIPS = 1_000_000
_MOST_SAMPLES = 8
_CR2 = b"CR"


def read_tiff(data: bytes) -> ImageHeader:
    """Read the first page's directory.

    The decoder turns the page upright itself, so that the size is that of the turned one.
    """
    page = TiffDirectory.read(data)
    if page is None:
        raise ImageCorrupt("The TIFF file has no directory")
    _require_a_picture(data, page)
    for offsets, lengths in (_STRIPS, _TILES):
        starts, sizes = page.numbers(offsets, _MOST_STRIPS), page.numbers(lengths, _MOST_STRIPS)
        if any(start + size > len(data) for start, size in zip(starts, sizes, strict=False)):
            raise ImageCorrupt("The TIFF file ends early")
    size = (page.number(_WIDTH, 0), page.number(_HEIGHT, 0))
    return ImageHeader(ImageFormat.TIFF, *turned_size(*size, page.orientation or UPRIGHT))


def _require_a_picture(data: bytes, page: TiffDirectory) -> None:
    """Refuse what the decoder would read wrongly, or only a thumbnail of."""
    if data[8:10] == _CR2 or _DNG_VERSION in page.entries or page.number(_SUBFILE, 0) & _REDUCED:
        raise UnsupportedImage(
            "A camera's raw file is not supported; send what it was developed to"
        )
    if page.number(_COMPRESSION, 1) not in _SUPPORTED_COMPRESSIONS:
        raise UnsupportedImage(
            f"TIFF compressed by method {page.number(_COMPRESSION, 1)} is not supported"
        )
    bits = set(page.numbers(_BITS, _MOST_SAMPLES)) or {1}
    formats = set(page.numbers(_SAMPLE_FORMAT, _MOST_SAMPLES)) or {_UNSIGNED}
    if not bits <= _SUPPORTED_BITS or formats != {_UNSIGNED}:
        raise UnsupportedImage("Only TIFF of 1, 8 or 16 bits a channel is supported")
