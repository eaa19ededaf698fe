"""What one image may cost the helper that decodes it."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.image_header import MAX_PIXELS, ImageHeader

# Address space a pixel. Measured at 12,000 x 9,000: a PNG of 16 bits with transparency takes 16,
# the most of all; WebP with transparency 10, a progressive JPEG 9, an ordinary JPEG 6.
_BYTES_A_PIXEL = 20
_BYTES_BESIDE = 1 << 26  # what the libraries take whatever the image
# Those pixels of 16 bits take 6 s of an idle processor, and twice that of a busy one.
_PIXELS_IN_TIME = 50_000_000


@dataclass(frozen=True)
class DecodeLimits:
    """Bounds that follow from the largest image accepted.

    Attributes:
        seconds: after this an image of up to 50 megapixels is given up; larger ones get more, in
            proportion.
        max_pixels: largest width times height.
        max_bytes: largest file.
    """

    seconds: float = 15.0
    max_pixels: int = MAX_PIXELS
    max_bytes: int = 50_000_000

    @property
    def memory_bytes(self) -> int:
        """Address space for one image, on top of the program's own; its pixels' file not counted.

        That file is as large as the picture, and empty again before the next one.
        """
        return _BYTES_A_PIXEL * self.max_pixels + self.max_bytes + _BYTES_BESIDE

    @property
    def longest_seconds(self) -> float:
        """The time that the largest image gets."""
        return self._seconds_for(self.max_pixels)

    def seconds_for(self, header: ImageHeader) -> float:
        """The time that an image of this size gets."""
        return self._seconds_for(header.width * header.height)

    def _seconds_for(self, pixels: int) -> float:
        return self.seconds * max(1.0, pixels / _PIXELS_IN_TIME)
