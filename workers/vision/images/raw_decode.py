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
    """Decode an image of any format to (height, width, 3) BGR with the orientation applied.

    Grey becomes three equal channels, 16 bits become 8, CMYK becomes BGR, and transparent pixels
    are laid on white (but those of a TIFF, which its decoder lays on black).

    Raises:
        ValueError: the bytes cannot be decoded.
    """
    decoded = _decode_heic(data) if _is_heic(data) else _decode_by_opencv(data, has_alpha)
    return apply_orientation(_opaque(decoded), orientation)


def _decode_by_opencv(data: bytes, has_alpha: bool) -> npt.NDArray[Any]:
    import cv2

    kind = cv2.IMREAD_UNCHANGED if has_alpha else cv2.IMREAD_COLOR
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), kind | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ValueError("The image cannot be decoded") from error
    if pixels is None:
        raise ValueError("The image cannot be decoded")
    return np.asarray(pixels)


def _is_heic(data: bytes) -> bool:
    """Whether a file of boxes holds something else than AVIF, which OpenCV decodes."""
    return data[4:8] == b"ftyp" and b"avif" not in data[8 : int.from_bytes(data[:4], "big")]


def _decode_heic(data: bytes) -> npt.NDArray[Any]:
    import pi_heif

    pi_heif.options.DECODE_THREADS = 1
    try:
        picture = pi_heif.open_heif(data, convert_hdr_to_8bit=True, bgr_mode=True)
        return np.array(picture)  # the picture lends its memory only as long as it lives
    except (ValueError, RuntimeError, EOFError, SyntaxError) as error:
        raise ValueError("The image cannot be decoded") from error


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
