from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.image_header import read_image_header
from app.domain.item_errors import (
    ImageCorrupt,
    ItemError,
    NotAnImage,
    TooManyPixels,
    UnsupportedImage,
)

PIXELS = np.zeros((20, 30, 3), np.uint8)


def test_reads_format_size_and_content_type(encode: Callable[..., bytes], kind: str) -> None:
    header = read_image_header(encode(PIXELS, kind))
    assert (header.format, header.width, header.height) == (kind, 30, 20)
    assert header.content_type == f"image/{kind}"
    assert header.orientation == 1


def test_reads_the_orientation_of_every_format(
    encode: Callable[..., bytes], kind: str, orientation: int
) -> None:
    header = read_image_header(encode(PIXELS, kind, orientation))
    assert header.orientation == orientation
    assert header.displayed_size == ((20, 30) if orientation >= 5 else (30, 20))


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_reads_as_upright(
    encode: Callable[..., bytes], kind: str, value: int
) -> None:
    assert read_image_header(encode(PIXELS, kind, value)).orientation == 1


def test_knows_which_images_are_transparent(encode: Callable[..., bytes]) -> None:
    clear = np.zeros((4, 4, 4), np.uint8)
    assert read_image_header(encode(clear, "png")).has_alpha
    assert read_image_header(encode(clear, "webp")).has_alpha
    assert not read_image_header(encode(PIXELS, "png")).has_alpha


def test_text_is_not_an_image() -> None:
    with pytest.raises(NotAnImage):
        read_image_header(b"<html>not found</html>")


def test_nothing_is_not_an_image() -> None:
    with pytest.raises(NotAnImage):
        read_image_header(b"")


@pytest.mark.parametrize(
    ("magic", "name"),
    [(b"8BPS", "Photoshop"), (b"%PDF", "PDF"), (b"II+\x00", "BigTIFF"), (b"\xff\x0a", "JPEG XL")],
)
def test_another_format_is_refused_by_name(magic: bytes, name: str) -> None:
    with pytest.raises(UnsupportedImage, match=name):
        read_image_header(magic + bytes(100))


def test_a_file_cut_off_anywhere_is_corrupt(encode: Callable[..., bytes], kind: str) -> None:
    data = encode(PIXELS, kind)
    for length in range(16, len(data), max(1, len(data) // 40)):
        with pytest.raises(ImageCorrupt):
            read_image_header(data[:length])


def test_a_png_that_claims_too_many_pixels_is_refused_before_decoding(
    encode: Callable[..., bytes],
) -> None:
    data = bytearray(encode(PIXELS, "png"))
    data[16:24] = struct.pack(">II", 20_000, 20_000)
    with pytest.raises(TooManyPixels, match="20000 x 20000"):
        read_image_header(bytes(data))


def test_a_jpeg_that_claims_too_many_pixels_is_refused_before_decoding(
    encode: Callable[..., bytes],
) -> None:
    data = encode(PIXELS, "jpeg")
    frame = data.index(b"\xff\xc0")
    huge = data[: frame + 5] + struct.pack(">HH", 60_000, 60_000) + data[frame + 9 :]
    with pytest.raises(TooManyPixels):
        read_image_header(huge)


def test_an_image_without_pixels_is_corrupt(encode: Callable[..., bytes]) -> None:
    data = bytearray(encode(PIXELS, "png"))
    data[16:20] = bytes(4)
    with pytest.raises(ImageCorrupt):
        read_image_header(bytes(data))


def test_an_animated_png_is_unsupported(encode: Callable[..., bytes]) -> None:
    data = encode(PIXELS, "png")
    animated = data[:33] + struct.pack(">I4sIII", 8, b"acTL", 2, 0, 0) + data[33:]
    with pytest.raises(UnsupportedImage, match="Animated"):
        read_image_header(animated)


def test_an_animated_webp_is_unsupported(encode: Callable[..., bytes]) -> None:
    data = bytearray(encode(PIXELS, "webp", 1))
    data[20] |= 0x02
    with pytest.raises(UnsupportedImage, match="Animated"):
        read_image_header(bytes(data))


def test_an_arithmetic_coded_jpeg_is_unsupported(encode: Callable[..., bytes]) -> None:
    data = encode(PIXELS, "jpeg").replace(b"\xff\xc0", b"\xff\xc9", 1)
    with pytest.raises(UnsupportedImage):
        read_image_header(data)


def test_ten_million_empty_segments_are_given_up_quickly() -> None:
    with pytest.raises(ImageCorrupt):
        read_image_header(b"\xff\xd8\xff\xe0" + b"\x00\x02\xff\xe0" * 2_500_000)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_bytes_raise_item_errors_only(
    encode: Callable[..., bytes], data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(["jpeg", "png", "webp"]))
    image = bytearray(encode(PIXELS, kind, 6))
    for _ in range(data.draw(st.integers(1, 6))):
        image[data.draw(st.integers(0, len(image) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ItemError):  # anything else fails the test
        read_image_header(bytes(image))
