"""Images that are damaged, odd or hostile, without end, the same from the same seed."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from workers.vision.arrays import Pixels

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_MAGICS = (b"\xff\xd8\xff\xe0", _PNG_MAGIC, b"RIFF\xff\xff\x00\x00WEBPVP8 ", b"GIF89a", b"%PDF-")
_SIZES = (0, 1, 2, 255, 256, 65_500, 65_535, 1_000_000, 2**31 - 1, 2**32 - 1)
_COSTLY = 500  # one image in so many is a bomb, which takes a second

Damage = Callable[[bytes, Random], bytes]


def damaged_images(picture: Pixels, count: int, seed: int) -> Iterator[bytes]:
    """Yield `count` files made from (height, width, 3) `picture`; some are still fine."""
    random = Random(seed)  # noqa: S311 - to be repeated, not to be secret
    sound = _encoded(picture)
    for number in range(count):
        if number % _COSTLY == _COSTLY - 1:
            yield _bomb(random)
        else:
            yield random.choice(_DAMAGES)(random.choice(sound), random)


def _encoded(picture: Pixels) -> list[bytes]:
    """The picture in every format and kind of pixels that is accepted."""
    clear = np.dstack([picture, picture[..., 0]])
    kinds: list[tuple[str, npt.NDArray[Any], list[int]]] = [
        (".jpg", picture, []),
        (".jpg", picture, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
        (".jpg", picture, [cv2.IMWRITE_JPEG_RST_INTERVAL, 4]),
        (".jpg", picture[..., 0], []),
        (".png", picture, []),
        (".png", clear, []),
        (".png", picture[..., 0], [cv2.IMWRITE_PNG_BILEVEL, 1]),
        (".png", picture.astype(np.uint16) * 257, []),
        (".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, 80]),
        (".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, 101]),
        (".webp", clear, [cv2.IMWRITE_WEBP_QUALITY, 80]),
    ]
    kinds += [(kind, picture, []) for kind in (".avif", ".tiff", ".bmp", ".gif")]
    encoded = [cv2.imencode(kind, pixels, how)[1].tobytes() for kind, pixels, how in kinds]
    return [*encoded, _heic(picture)]


def _heic(picture: Pixels) -> bytes:
    """HEIC, by the encoder of requirements-dev.txt."""
    import pillow_heif

    height, width = picture.shape[:2]
    data = io.BytesIO()
    pillow_heif.encode("BGR", (width, height), np.ascontiguousarray(picture).tobytes(), data)
    return data.getvalue()


def _cut_off(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data))]


def _flipped(data: bytes, random: Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(random.choice((1, 3, 30, 300))):
        damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
    return bytes(damaged)


def _header_flipped(data: bytes, random: Random) -> bytes:
    return _flipped(data[:200], random) + data[200:]


def _overwritten(data: bytes, random: Random) -> bytes:
    start, length = random.randrange(len(data)), random.choice((4, 64, 4096))
    return data[:start] + random.randbytes(length) + data[start + length :]


def _taken_out(data: bytes, random: Random) -> bytes:
    start = random.randrange(len(data))
    return data[:start] + data[start + random.choice((1, 7, 500)) :]


def _repeated(data: bytes, random: Random) -> bytes:
    start = random.randrange(len(data))
    return data[: start + random.choice((8, 500))] + data[start:]


def _followed(data: bytes, random: Random) -> bytes:
    return data + random.choice((random.randbytes(5000), data, b"\0" * 100_000))


def _of_wrong_magic(data: bytes, random: Random) -> bytes:
    return random.choice(_MAGICS) + data[8:]


def _noise(_data: bytes, random: Random) -> bytes:
    return random.choice((*_MAGICS, b"")) + random.randbytes(random.choice((0, 1, 20, 3000)))


def _with_exif(data: bytes, random: Random) -> bytes:
    """Put directories of random entries, which may point anywhere, into a JPEG or PNG."""
    tiff = random.choice((b"II*\0", b"MM\0*")) + struct.pack("<IH", 8, random.choice((1, 9, 65535)))
    tiff += random.randbytes(random.choice((3, 12, 400)))
    if data.startswith(b"\xff\xd8"):
        return (
            data[:2]
            + b"\xff\xe1"
            + struct.pack(">H", len(tiff) + 8)
            + b"Exif\0\0"
            + tiff
            + data[2:]
        )
    return data[:33] + _chunk(b"eXIf", tiff) + data[33:] if data.startswith(_PNG_MAGIC) else data


def _of_other_size(data: bytes, random: Random) -> bytes:
    """State another size in the header, with a checksum that is right."""
    width, height = random.choice(_SIZES), random.choice(_SIZES)
    if data.startswith(_PNG_MAGIC):
        return (
            _PNG_MAGIC
            + _chunk(b"IHDR", struct.pack(">II", width, height) + data[24:29])
            + data[33:]
        )
    frame = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    size = struct.pack(">HH", height & 0xFFFF, width & 0xFFFF)
    if data.startswith(b"\xff\xd8") and frame > 0:
        return data[: frame + 5] + size + data[frame + 9 :]
    return data[:24] + struct.pack("<II", width, height) + data[32:]


def _thin(_data: bytes, random: Random) -> bytes:
    shape = random.choice(((1, 1), (1, 9000), (9000, 1), (2, 3)))
    pixels = np.full((*shape, 3), random.randrange(256), np.uint8)
    return cv2.imencode(random.choice((".png", ".jpg", ".webp")), pixels)[1].tobytes()


def _bomb(random: Random) -> bytes:
    """A small PNG of up to 49 megapixels in 16 bits with transparency, or one that is too large."""
    width, height = random.choice(((7000, 7000), (20_000, 20_000), (1_000_000, 49), (50, 900_000)))
    row = b"\0" * (1 + width * 8)
    squeeze = zlib.compressobj(9)
    body = b"".join(squeeze.compress(row) for _ in range(min(height, 7000))) + squeeze.flush()
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 6, 0, 0, 0))
    return _PNG_MAGIC + header + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


_DAMAGES: tuple[Damage, ...] = (
    _cut_off,
    _flipped,
    _header_flipped,
    _overwritten,
    _taken_out,
    _repeated,
    _followed,
    _of_wrong_magic,
    _noise,
    _with_exif,
    _of_other_size,
    _thin,
)
