"""What an image says about itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAX_PIXELS = 108_000_000  # 12,000 x 9,000: what phones of 108 megapixels make

UPRIGHT = 1
MOST_PARTS = 10_000  # segments, chunks or boxes looked at: ten million empty ones take seconds


class ImageFormat(StrEnum):
    """The formats that FaceQueue decodes."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    HEIC = "heic"
    AVIF = "avif"
    TIFF = "tiff"
    BMP = "bmp"
    GIF = "gif"

    @property
    def content_type(self) -> str:
        """The media type, as HTTP names it."""
        return f"image/{self.value}"


# What files of these formats are called, for those who look for pictures among other files.
IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp"),
    *(".heic", ".heif", ".hif", ".avif", ".tif", ".tiff", ".bmp", ".gif"),
)


@dataclass(frozen=True)
class ImageHeader:
    """What an image says about itself.

    `width` and `height` are in pixels as decoded; `orientation` is the EXIF value, 1 to 8, that is
    left to be applied to what the decoder gives (those of TIFF and HEIC turn the picture
    themselves).
    """

    format: ImageFormat
    width: int
    height: int
    orientation: int = UPRIGHT
    has_alpha: bool = False

    @property
    def content_type(self) -> str:
        """The media type, as HTTP names it."""
        return self.format.content_type

    @property
    def displayed_size(self) -> tuple[int, int]:
        """Width and height after the orientation is applied: values 5 to 8 swap the axes."""
        return turned_size(self.width, self.height, self.orientation)


def turned_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Width and height after an EXIF orientation is applied."""
    swapped = orientation >= 5  # noqa: PLR2004 - EXIF numbers the transposed ones 5 to 8
    return (height, width) if swapped else (width, height)
