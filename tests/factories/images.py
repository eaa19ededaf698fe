"""Small valid images, made of bytes: no decoder is needed for them."""

from __future__ import annotations

import struct
import zlib


def png(width: int = 20, height: int = 10) -> bytes:
    """A black RGB picture."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * (height * (width * 3 + 1)))
    return png_of((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))


def halves(size: int = 40, *, orientation: int = 1) -> bytes:
    """As stored, a red square left of a blue one; EXIF says which way up they are shown."""
    row = b"\0" + b"\xff\0\0" * size + b"\0\0\xff" * size
    exif = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    return png_of(
        (b"IHDR", struct.pack(">IIBBBBB", 2 * size, size, 8, 2, 0, 0, 0)),
        (b"eXIf", exif),
        (b"IDAT", zlib.compress(row * size)),
        (b"IEND", b""),
    )


def png_of(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of these chunks: names and contents."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def png_chunk(name: bytes, content: bytes) -> bytes:
    """A chunk with its length and a checksum that is right."""
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum
