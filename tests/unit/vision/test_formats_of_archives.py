"""HEIC, AVIF, TIFF, BMP, GIF and MPO are seen as people see them."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.domain.image_header import read_image_header
from app.domain.item_errors import ImageCorrupt, ItemError, UnsupportedImage
from tests.factories.photographs import picture_file, written
from workers.vision.arrays import Pixels
from workers.vision.images.decode import decode_in_process

KINDS = ("heic", "avif", "tiff", "bmp", "gif")
TURNED = ("heic", "avif", "tiff")
PIXELS = np.zeros((20, 30, 3), np.uint8)
Stored = Callable[[Pixels, int], Pixels]


def decode(data: bytes) -> Pixels:
    return decode_in_process(data, read_image_header(data))


@pytest.fixture(scope="module")
def scene() -> Pixels:
    """A picture without symmetry, smooth enough for lossy formats."""
    rows, columns = np.mgrid[0:48, 0:64]
    return np.stack([columns * 4, rows * 5, 255 - columns * 2 - rows], axis=-1).astype(np.uint8)


def most_apart(one: Pixels, other: Pixels) -> int:
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other).max())


@pytest.mark.parametrize("kind", KINDS)
def test_reads_format_size_and_content_type(kind: str) -> None:
    header = read_image_header(picture_file(PIXELS, kind))

    assert (header.format, header.displayed_size) == (kind, (30, 20))
    assert header.content_type == f"image/{kind}"


@pytest.mark.parametrize("kind", TURNED)
def test_every_orientation_is_shown_upright(
    scene: Pixels, stored: Stored, kind: str, orientation: int
) -> None:
    data = picture_file(stored(scene, orientation), kind, orientation)

    assert read_image_header(data).displayed_size == (64, 48)
    assert most_apart(decode(data), scene) <= 8


def test_every_orientation_of_a_deep_tiff_is_shown_upright(
    scene: Pixels, stored: Stored, orientation: int
) -> None:
    deep = stored(scene, orientation)[:, :, 0].astype(np.uint16) * 257

    seen = decode(written(Image.fromarray(deep), "tiff", orientation))

    assert most_apart(seen[:, :, 0], scene[:, :, 0]) <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_grey_pictures_get_three_equal_channels(scene: Pixels, kind: str) -> None:
    grey = cv2.cvtColor(scene, cv2.COLOR_BGR2GRAY)

    seen = decode(picture_file(grey, kind))

    assert most_apart(seen[:, :, 1], grey) <= 4
    assert np.ptp(seen.astype(int), axis=2).max() <= 2


@pytest.mark.parametrize("kind", ["heic", "avif", "gif"])
def test_transparent_pixels_are_laid_on_white(scene: Pixels, kind: str) -> None:
    alpha = np.full(scene.shape[:2], 255, np.uint8)
    alpha[:16] = 0

    seen = decode(picture_file(np.dstack([scene // 2, alpha]), kind))

    assert seen[:8].min() >= 250
    assert seen[32:].max() <= 136


@pytest.mark.parametrize("kind", ["heic", "avif"])
def test_pictures_of_ten_bits_are_reduced_to_eight(scene: Pixels, kind: str) -> None:
    assert most_apart(decode(of_ten_bits(scene, kind)), scene) <= 8


def of_ten_bits(scene: Pixels, kind: str) -> bytes:
    if kind == "avif":
        deep = [cv2.IMWRITE_AVIF_DEPTH, 10, cv2.IMWRITE_AVIF_QUALITY, 100]
        return bytes(cv2.imencode(".avif", scene.astype(np.uint16) * 4, deep)[1])
    from pillow_heif import encode

    deep_scene = np.ascontiguousarray(scene[:, :, ::-1]).astype(np.uint16) * 257
    data = io.BytesIO()
    encode("RGB;16", (64, 48), deep_scene.tobytes(), data, quality=98, chroma=444)
    return data.getvalue()


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "packbits", "jpeg"])
def test_compressed_tiffs_are_read(scene: Pixels, compression: str) -> None:
    assert most_apart(decode(picture_file(scene, "tiff", compression=compression)), scene) <= 40


def test_cmyk_of_a_tiff_becomes_colour(scene: Pixels) -> None:
    picture = Image.fromarray(scene[:, :, ::-1].copy()).convert("CMYK")

    assert most_apart(decode(written(picture, "tiff")), scene) <= 2


def test_a_fax_is_read(scene: Pixels) -> None:
    ink = (scene[:, :, 0] > 100).astype(np.uint8) * 255
    picture = Image.fromarray(ink).convert("1", dither=Image.Dither.NONE)

    assert most_apart(decode(written(picture, "tiff", compression="group4"))[:, :, 0], ink) == 0


@pytest.mark.parametrize("kind", ["tiff", "gif", "heic", "mpo"])
def test_the_first_of_several_pictures_is_the_one(scene: Pixels, kind: str) -> None:
    first, second = (Image.fromarray(np.ascontiguousarray(p)) for p in (scene, scene[::-1]))

    seen = decode(written(first, kind, save_all=True, append_images=[second]))

    assert most_apart(seen, decode(written(first, "jpeg" if kind == "mpo" else kind))) <= 2


def test_a_bitmap_of_which_the_rows_go_downwards_is_upright(scene: Pixels) -> None:
    data = bytearray(picture_file(scene[::-1].copy(), "bmp"))
    data[22:26] = (-48).to_bytes(4, "little", signed=True)

    assert most_apart(decode(bytes(data)), scene) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_off_anywhere_is_corrupt(kind: str) -> None:
    data = picture_file(PIXELS, kind)
    end = data.rindex(b"\0") if kind == "gif" else len(data)  # a GIF's end mark may be lost

    for length in range(16, end, max(1, len(data) // 60)):
        with pytest.raises(ImageCorrupt):
            read_image_header(data[:length])


def test_a_tiff_whose_pixels_lie_behind_its_end_is_corrupt() -> None:
    picture = Image.fromarray(PIXELS)
    data = written(picture, "tiff")

    with pytest.raises(ImageCorrupt):
        read_image_header(data[: data.rindex(bytes(100))])


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_bytes_raise_item_errors_only(data: st.DataObject) -> None:
    image = bytearray(picture_file(PIXELS, data.draw(st.sampled_from(KINDS))))
    for _ in range(data.draw(st.integers(1, 6))):
        image[data.draw(st.integers(0, len(image) - 1))] = data.draw(st.integers(0, 255))

    with suppress(ItemError):  # anything else fails the test
        read_image_header(bytes(image))


def tagged(tag: int, value: int) -> bytes:
    """A TIFF with one more number in its directory, or another."""
    data = written(Image.fromarray(PIXELS), "tiff", tiffinfo={tag: value})
    assert isinstance(data, bytes)
    return data


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (tagged(254, 1), "raw file"),
        (b"II*\0\x10\0\0\0CR\x02\0" + bytes(200), "raw file"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(200), "raw file"),
        (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", "raw file"),
        (b"II+\0\x08\0\0\0" + bytes(200), "BigTIFF"),
        (b"\xff\x0a" + bytes(200), "JPEG XL"),
        (b"\0\0\0\x0cJXL \x0d\x0a\x87\x0a", "JPEG XL"),
        (b"\0\0\0\x0cjP  \x0d\x0a\x87\x0a", "JPEG 2000"),
        (b"%PDF-1.7", "PDF"),
        (b"\0\0\0\x18ftypavis\0\0\0\0avismsf1", "sequence of AVIF"),
        (b"\0\0\0\x18ftyphevc\0\0\0\0hevcmsf1", "sequence of HEIC"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "Video"),
    ],
)
def test_what_is_not_decoded_is_refused_by_name(data: bytes, name: str) -> None:
    with pytest.raises(UnsupportedImage, match=name):
        read_image_header(data)


def test_a_tiff_of_numbers_with_a_fraction_is_refused_by_name(scene: Pixels) -> None:
    picture = Image.fromarray(scene[:, :, 0].astype(np.float32))

    with pytest.raises(UnsupportedImage, match="bits a channel"):
        read_image_header(written(picture, "tiff"))


def test_a_tiff_compressed_by_what_opencv_lacks_is_refused_by_name(scene: Pixels) -> None:
    with pytest.raises(UnsupportedImage, match="method 50000"):
        read_image_header(picture_file(scene, "tiff", compression="zstd"))
