from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from app.domain.image_header import read_image_header
from app.domain.item_errors import ImageCorrupt
from tests.factories.images import png_of
from workers.vision.images.decode import decode_in_process

# 16 x 16 pixels of cyan 0, magenta 230, yellow 230, black 20, with Adobe's inverted channels.
CMYK_RED = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBggL"
    "CAkKCgoKCgYICwwLCgwJCgoK/8AAFAgAEAAQBEMRAE0RAFkRAEsRAP/EABUAAQEAAAAAAAAAAAAAAAAAAAAJ/8QAFBAB"
    "AAAAAAAAAAAAAAAAAAAAAP/aAA4EQwBNAFkASwAAPwC/iMaMa1gAAAD/2Q=="
)


def decode(data: bytes) -> np.ndarray:
    return decode_in_process(data, read_image_header(data))


@pytest.fixture
def scene() -> np.ndarray:
    """A picture without symmetry, smooth enough for lossy formats."""
    rows, columns = np.mgrid[0:48, 0:64]
    return np.stack([columns * 4, rows * 5, 255 - columns * 2 - rows], axis=-1).astype(np.uint8)


def test_every_orientation_of_every_format_is_shown_upright(
    scene: np.ndarray,
    encode: Callable[..., bytes],
    stored: Callable[[np.ndarray, int], np.ndarray],
    kind: str,
    orientation: int,
) -> None:
    seen = decode(encode(stored(scene, orientation), kind, orientation))
    assert seen.shape == scene.shape
    assert np.abs(seen.astype(int) - scene).max() <= 6


def test_lossless_pixels_come_back_as_they_were(
    scene: np.ndarray, encode: Callable[..., bytes]
) -> None:
    assert np.array_equal(decode(encode(scene, "png")), scene)


def test_grey_images_get_three_equal_channels(
    scene: np.ndarray, encode: Callable[..., bytes], kind: str
) -> None:
    grey = cv2.cvtColor(scene, cv2.COLOR_BGR2GRAY)
    seen = decode(encode(grey, kind))
    assert seen.shape == scene.shape
    assert np.ptp(seen.astype(int), axis=2).max() <= 2


def test_sixteen_bits_are_reduced_to_eight(scene: np.ndarray, encode: Callable[..., bytes]) -> None:
    deep = scene.astype(np.uint16) * 256 + 77
    assert np.array_equal(decode(encode(deep, "png")), scene)


def test_transparent_pixels_are_laid_on_white(
    scene: np.ndarray, encode: Callable[..., bytes]
) -> None:
    alpha = np.full(scene.shape[:2], 255, np.uint8)
    alpha[:10] = 0
    alpha[10:20] = 128
    seen = decode(encode(np.dstack([scene, alpha]), "png"))
    assert (seen[:10] == 255).all()
    half = (scene[10:20].astype(float) * 128 + 255 * 127) / 255
    assert np.abs(seen[10:20] - half).max() <= 1
    assert np.array_equal(seen[20:], scene[20:])


def test_transparent_webp_is_laid_on_white(scene: np.ndarray, encode: Callable[..., bytes]) -> None:
    alpha = np.zeros(scene.shape[:2], np.uint8)
    assert (decode(encode(np.dstack([scene, alpha]), "webp")) == 255).all()


def test_a_colour_of_a_palette_that_is_transparent_is_laid_on_white() -> None:
    header = struct.pack(">IIBBBBB", 8, 1, 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", header),
        (b"PLTE", bytes([0, 0, 200, 9, 9, 9])),
        (b"tRNS", bytes([255, 0])),
        (b"IDAT", zlib.compress(bytes([0, 0, 1, 0, 1, 0, 1, 0, 1]))),
        (b"IEND", b""),
    )
    seen = decode(png_of(*parts))
    assert (seen[0, ::2] == [200, 0, 0]).all()
    assert (seen[0, 1::2] == 255).all()


def test_sixteen_bit_transparent_images_are_laid_on_white(
    scene: np.ndarray, encode: Callable[..., bytes]
) -> None:
    deep = np.dstack([scene, np.zeros(scene.shape[:2], np.uint8)]).astype(np.uint16) * 257
    assert (decode(encode(deep, "png")) == 255).all()


def test_cmyk_becomes_colour() -> None:
    blue, green, red = decode(CMYK_RED)[8, 8]
    assert red > 220
    assert blue < 40
    assert green < 40


def test_damaged_pixel_data_is_corrupt(scene: np.ndarray, encode: Callable[..., bytes]) -> None:
    data = bytearray(encode(scene, "png"))
    start = data.index(b"IDAT")
    data[start + 6 : start + 60] = bytes(54)
    with pytest.raises(ImageCorrupt):
        decode(bytes(data))


def test_a_png_whose_pixels_are_fewer_than_its_header_says_is_corrupt() -> None:
    header = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(50))), (b"IEND", b""))
    with pytest.raises(ImageCorrupt):
        decode(png_of(*parts))
