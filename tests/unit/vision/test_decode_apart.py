from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.domain.image_header import ImageFormat, ImageHeader, read_image_header
from app.domain.item_errors import (
    DecodeTimeout,
    ImageCorrupt,
    TooManyPixels,
)
from tests.factories.images import png_of
from tests.factories.photographs import picture_file
from workers.vision.images.decode import decode_in_process
from workers.vision.images.decode_apart import ApartDecoder, DecodeHelper, HelperNotStarted
from workers.vision.images.decode_limits import DecodeLimits


@pytest.fixture
def decoder() -> Iterator[ApartDecoder]:
    decoder = ApartDecoder(1, DecodeLimits(seconds=10))
    yield decoder
    decoder.close()


def decode(decoder: ApartDecoder, data: bytes) -> np.ndarray:
    return decoder(data, read_image_header(data))


def process_of(decoder: ApartDecoder) -> subprocess.Popen[bytes]:
    helper = decoder._idle.queue[0]
    assert helper is not None
    return helper._process


def bomb(width: int, height: int) -> bytes:
    """A small PNG of many black pixels: RGBA, 16 bits."""
    row = b"\0" * (1 + width * 8)
    squeeze = zlib.compressobj(9)
    body = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, 16, 6, 0, 0, 0)
    return png_of((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))


@pytest.fixture
def photograph(portraits: Path) -> bytes:
    return (portraits / "grace_hopper.jpg").read_bytes()


def test_it_decodes_what_the_process_itself_would(
    decoder: ApartDecoder, encode: Callable[..., bytes], orientation: int
) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (40, 70, 3), np.uint8)
    data = encode(pixels, "png", orientation)
    expected = decode_in_process(data, read_image_header(data))
    assert np.array_equal(decode(decoder, data), expected)


def test_a_damaged_image_is_corrupt_and_ends_no_helper(
    decoder: ApartDecoder, photograph: bytes, encode: Callable[..., bytes]
) -> None:
    process = process_of(decoder)
    damaged = bytearray(encode(np.zeros((64, 64, 3), np.uint8), "png"))
    damaged[45:60] = bytes(15)
    for _ in range(5):
        with pytest.raises(ImageCorrupt):
            decode(decoder, bytes(damaged))
    assert process_of(decoder) is process
    assert decode(decoder, photograph).shape == (600, 512, 3)


def test_an_image_that_kills_the_helper_costs_that_image_alone(
    decoder: ApartDecoder, photograph: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = process_of(decoder)
    ask = DecodeHelper._ask

    def kill_first(helper: DecodeHelper, request: bytes) -> None:
        if helper._process is process:
            process.send_signal(signal.SIGKILL)
            process.wait()
        ask(helper, request)

    monkeypatch.setattr(DecodeHelper, "_ask", kill_first)
    with pytest.raises(ImageCorrupt, match="made the decoder fail"):
        decode(decoder, photograph)
    assert decode(decoder, photograph).shape == (600, 512, 3)


def test_an_image_that_hangs_is_given_up_in_time_and_costs_that_image_alone(
    photograph: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = ApartDecoder(1, DecodeLimits(seconds=0.5))
    hung = process_of(decoder)
    hung.send_signal(signal.SIGSTOP)  # as if inside a decoder that never returns
    begin = time.monotonic()
    with pytest.raises(DecodeTimeout):
        decode(decoder, photograph)
    assert time.monotonic() - begin < 3
    assert hung.returncode == -signal.SIGKILL
    monkeypatch.setattr(decoder, "_limits", DecodeLimits(seconds=10))
    assert decode(decoder, photograph).shape == (600, 512, 3)
    decoder.close()


def test_no_image_is_blamed_for_a_helper_that_does_not_start(
    decoder: ApartDecoder, photograph: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder.close()
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", "/bin/false")
        with pytest.raises(HelperNotStarted):
            decode(decoder, photograph)
    assert decode(decoder, photograph).shape == (600, 512, 3)


SIDE = 4000


def progressive_jpeg(encode: Callable[..., bytes]) -> bytes:
    del encode
    finest = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    _, data = cv2.imencode(
        ".jpg", np.zeros((SIDE, SIDE, 3), np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, *finest]
    )
    return data.tobytes()


def transparent_webp(encode: Callable[..., bytes]) -> bytes:
    return encode(np.full((SIDE, SIDE, 4), 128, np.uint8), "webp")


def deep_png(encode: Callable[..., bytes]) -> bytes:
    del encode
    return bomb(SIDE, SIDE)


def _by_opencv(suffix: str, pixels: np.ndarray, *how: int) -> bytes:
    return cv2.imencode(suffix, pixels, how)[1].tobytes()


def deep_avif(encode: Callable[..., bytes]) -> bytes:
    del encode
    fast = (cv2.IMWRITE_AVIF_DEPTH, 10, cv2.IMWRITE_AVIF_SPEED, 10)
    return _by_opencv(".avif", np.zeros((SIDE, SIDE, 3), np.uint16), *fast)


def deep_tiff(encode: Callable[..., bytes]) -> bytes:
    del encode
    return _by_opencv(".tiff", np.zeros((SIDE, SIDE, 4), np.uint16))


def gif(encode: Callable[..., bytes]) -> bytes:
    del encode
    return _by_opencv(".gif", np.zeros((SIDE, SIDE, 3), np.uint8))


def transparent_heic(encode: Callable[..., bytes]) -> bytes:
    del encode
    return picture_file(np.full((SIDE, SIDE, 4), 128, np.uint8), "heic", quality=1)


@pytest.mark.parametrize(
    "largest",
    [
        *(progressive_jpeg, transparent_webp, deep_png, deep_avif, deep_tiff, gif),
        transparent_heic,
    ],
)
def test_the_largest_image_allowed_decodes_within_the_memory_that_follows_from_it(
    largest: Callable[..., bytes], encode: Callable[..., bytes]
) -> None:
    data = largest(encode)
    limits = DecodeLimits(seconds=20, max_pixels=SIDE * SIDE, max_bytes=len(data))
    decoder = ApartDecoder(1, limits)
    assert decode(decoder, data).shape == (SIDE, SIDE, 3)
    decoder.close()


def test_an_image_above_fifty_megapixels_gets_time_in_proportion() -> None:
    limits = DecodeLimits(seconds=15, max_pixels=100_000_000)
    sizes = [(100, 100), (10_000, 5_000), (10_000, 10_000)]
    headers = [ImageHeader(ImageFormat.PNG, *size) for size in sizes]

    assert [limits.seconds_for(header) for header in headers] == [15, 15, 30]
    assert limits.longest_seconds == 30


def test_an_image_that_needs_more_memory_than_allowed_fails_alone(
    photograph: bytes,
) -> None:
    decoder = ApartDecoder(1, DecodeLimits(seconds=10, max_pixels=10_000, max_bytes=0))
    process = process_of(decoder)
    with pytest.raises((ImageCorrupt, TooManyPixels)):  # OpenCV swallows some of its own failures
        decode(decoder, bomb(4000, 4000))
    assert process_of(decoder) is process
    assert decode(decoder, photograph).shape == (600, 512, 3)
    decoder.close()


def test_a_helper_that_lies_about_the_size_is_not_believed(
    decoder: ApartDecoder, photograph: bytes
) -> None:
    header = read_image_header(photograph)
    taller = ImageHeader(header.format, header.width, header.height + 1)
    lying = ImageHeader(header.format, header.height, header.width)
    for stated in (taller, lying):
        with pytest.raises(ImageCorrupt):
            decoder(photograph, stated)


def test_threads_share_the_helpers(photograph: bytes) -> None:
    decoder = ApartDecoder(2, DecodeLimits(seconds=20))
    with ThreadPoolExecutor(8) as pool:
        shapes = list(pool.map(lambda _: decode(decoder, photograph).shape, range(40)))
    assert set(shapes) == {(600, 512, 3)}
    decoder.close()


def test_the_helper_loads_only_the_decoder(decoder: ApartDecoder) -> None:
    maps = Path(f"/proc/{process_of(decoder).pid}/maps").read_text(encoding="utf-8")
    assert "cv2" in maps
    for other in ("onnxruntime", "openvino", "tensorflow", "psycopg2", "gevent"):
        assert other not in maps


def test_a_helper_ends_when_its_parent_is_killed() -> None:
    code = (
        "import os, signal\n"
        "from workers.vision.images.decode_apart import DecodeHelper\n"
        "from workers.vision.images.decode_limits import DecodeLimits\n"
        "print(DecodeHelper(DecodeLimits(5))._process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    stat = Path(f"/proc/{done.stdout.strip()}/stat")
    deadline = time.monotonic() + 10
    while stat.exists() and stat.read_text(encoding="ascii").split()[2] != "Z":
        assert time.monotonic() < deadline
        os.sched_yield()


def test_closing_ends_the_processes(decoder: ApartDecoder) -> None:
    process = process_of(decoder)
    decoder.close()
    assert process.returncode is not None


def test_a_helper_keeps_its_memory_from_image_to_image(
    decoder: ApartDecoder, photograph: bytes
) -> None:
    """Giving pages back and faulting them in anew took longer than decoding a small picture."""
    for _ in range(3):
        decode(decoder, photograph)
    stat = Path(f"/proc/{process_of(decoder).pid}/stat")
    before = int(stat.read_text().split()[9])
    for _ in range(10):
        decode(decoder, photograph)
    assert int(stat.read_text().split()[9]) - before < 100
