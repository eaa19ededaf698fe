"""The decoder itself. Imports nothing of ours but the orientation, so that a helper stays small."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workers.vision.arrays import Pixels
from workers.vision.images.orientation import apply_orientation

_COLOURS = 3
_WHITE = 255  # what viewers show behind transparent pixels
_HIGH_BYTE = 8  # bits to shift 16 down to 8 by
_BAND_ROWS = 64


def decode_raw(data: bytes, orientation: int, *, has_alpha: bool) -> Pixels:
    """Decode JPEG, PNG or WebP to (height, width, 3) BGR with the orientation applied.

    Grey becomes three equal channels, 16 bits become 8, CMYK becomes BGR, and transparent
    pixels are laid on white.

    Raises:
        ValueError: the bytes cannot be decoded.
    """
    import cv2

    kind = cv2.IMREAD_UNCHANGED if has_alpha else cv2.IMREAD_COLOR
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), kind | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ValueError("The image cannot be decoded") from error
    if pixels is None:
        raise ValueError("The image cannot be decoded")
    opaque = _opaque(pixels) if has_alpha else np.asarray(pixels, dtype=np.uint8)
    return apply_orientation(opaque, orientation)


def _opaque(pixels: npt.NDArray[Any]) -> Pixels:
    import cv2

    if pixels.ndim == 2:  # noqa: PLR2004 - a plane without channels
        pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR))
    if pixels.shape[2] > _COLOURS:
        return _on_white(pixels)
    return (pixels >> _HIGH_BYTE).astype(np.uint8) if pixels.dtype == np.uint16 else pixels


def _on_white(pixels: npt.NDArray[Any]) -> Pixels:
    """Blend (height, width, 4) with white, band by band: the intermediate values are wider."""
    opaque = np.empty((*pixels.shape[:2], _COLOURS), dtype=np.uint8)
    for top in range(0, len(pixels), _BAND_ROWS):
        band = pixels[top : top + _BAND_ROWS].astype(np.uint32)
        if pixels.dtype == np.uint16:
            band >>= _HIGH_BYTE
        shade = (_WHITE - band[:, :, :_COLOURS]) * band[:, :, _COLOURS:]
        opaque[top : top + _BAND_ROWS] = _WHITE - (shade + _WHITE // 2) // _WHITE
    return opaque
