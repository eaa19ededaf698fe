"""Pictures in the formats of archives, as the programs that people use write them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image
from pillow_heif import register_heif_opener

from workers.vision.arrays import Pixels

_ORIENTATION = 0x0112

# The name that Pillow has for each format, and how it is written with little loss.
_WRITTEN: dict[str, tuple[str, dict[str, Any]]] = {
    "jpeg": ("JPEG", {"quality": 98}),
    "mpo": ("MPO", {"quality": 98}),
    "heic": ("HEIF", {"quality": 98, "chroma": 444}),
    "avif": ("AVIF", {"quality": 98, "subsampling": "4:4:4", "speed": 8}),
    "tiff": ("TIFF", {}),
    "bmp": ("BMP", {}),
    "gif": ("GIF", {}),
}


def picture_file(pixels: Pixels, kind: str, orientation: int | None = None, **how: Any) -> bytes:
    """Write (height, width, 3) BGR pixels, or of 4 channels with transparency, or (height, width).

    Args:
        orientation: EXIF's, which the formats that turn pictures by themselves state their way.
        how: what Pillow's writer of the format takes.
    """
    register_heif_opener()
    planes = pixels if pixels.ndim == 2 else pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]
    return written(Image.fromarray(np.ascontiguousarray(planes)), kind, orientation, **how)


def written(picture: Image.Image, kind: str, orientation: int | None = None, **how: Any) -> bytes:
    """Write a picture that Pillow has."""
    name, usual = _WRITTEN[kind]
    if orientation is not None:
        exif = Image.Exif()
        exif[_ORIENTATION] = orientation
        how["exif"] = exif if kind == "tiff" else exif.tobytes()
    data = io.BytesIO()
    picture.save(data, name, **usual | how)
    return data.getvalue()
