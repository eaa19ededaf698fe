"""A photograph as another camera might have taken it: cropped, small, dark, bright, squeezed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Image = Any  # a (height, width, 3) array of BGR bytes, as OpenCV has it


def crop(image: Image) -> Image:
    """Cut a twelfth off the left and the bottom and a twentieth off the top."""
    height, width = image.shape[:2]
    return image[height // 20 : height - height // 12, width // 12 :]


def half(image: Image) -> Image:
    """Halve the width and the height."""
    import cv2

    return cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def dark(image: Image) -> Image:
    """Half of the light."""
    return _scaled_light(image, 0.5)


def bright(image: Image) -> Image:
    """A third more light, burnt out where there is no more room."""
    return _scaled_light(image, 1.33)


def _scaled_light(image: Image, factor: float) -> Image:
    import cv2

    return cv2.convertScaleAbs(image, alpha=factor)


def unchanged(image: Image) -> Image:
    """For a change of the JPEG quality alone."""
    return image


VARIATIONS: dict[str, tuple[Callable[[Image], Image], int]] = {
    "crop": (crop, 92),
    "half": (half, 92),
    "dark": (dark, 92),
    "bright": (bright, 92),
    "jpeg25": (unchanged, 25),
}


def vary(content: bytes, variation: str) -> bytes:
    """Apply a variation to an encoded image; the answer is a JPEG."""
    import cv2
    import numpy as np

    change, quality = VARIATIONS[variation]
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    encoded, buffer = cv2.imencode(".jpg", change(image), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not encoded:
        raise ValueError(f"OpenCV cannot encode the variation {variation}")
    return bytes(buffer)
