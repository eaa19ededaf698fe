"""A pipeline on real weights, and ways to write images with metadata."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.factories.images import png_chunk
from workers.vision.pipeline import (
    ImageInput,
    ImageResult,
    PipelineOptions,
    RecognitionPipeline,
    VisionSettings,
    build_pipeline,
)

Encode = Callable[..., bytes]
RunOne = Callable[..., ImageResult]


@pytest.fixture(scope="session")
def pipeline(models_dir: Path) -> RecognitionPipeline:
    return build_pipeline(VisionSettings(models_dir=models_dir, batch_size=4))


@pytest.fixture(scope="session")
def portrait(portraits: Path) -> Callable[[str], np.ndarray]:
    """Reads a portrait's pixels, BGR."""

    def read(name: str) -> np.ndarray:
        pixels = cv2.imread(str(portraits / name))
        assert pixels is not None, name
        return pixels

    return read


@pytest.fixture(scope="session")
def run_one(pipeline: RecognitionPipeline) -> RunOne:
    """Runs one image through the pipeline."""

    def run(data: bytes, **options: object) -> ImageResult:
        image = ImageInput("it", lambda: data, PipelineOptions(**options))
        ((result,),) = pipeline.run([image])
        return result

    return run


@pytest.fixture(scope="session")
def encode() -> Encode:
    """Encodes pixels as jpeg, png or webp, with an EXIF orientation if one is given."""

    def write(pixels: np.ndarray, kind: str, orientation: int | None = None) -> bytes:
        quality = {"jpeg": [cv2.IMWRITE_JPEG_QUALITY, 98], "webp": [cv2.IMWRITE_WEBP_QUALITY, 101]}
        done, data = cv2.imencode(f".{kind}", pixels, quality.get(kind, []))
        assert done
        return (
            data.tobytes() if orientation is None else _TAGGERS[kind](data.tobytes(), orientation)
        )

    return write


def _exif(orientation: int, order: str = "<") -> bytes:
    """A TIFF block whose one directory entry is the orientation, after one that is not."""
    mark = {"<": b"II*\x00", ">": b"MM\x00*"}[order]
    entries = [(0x0100, 3, 1, 7), (0x0112, 3, 1, orientation)]
    packed = b"".join(struct.pack(f"{order}HHIHxx", *entry) for entry in entries)
    return mark + struct.pack(f"{order}IH", 8, len(entries)) + packed + bytes(4)


def _tag_jpeg(data: bytes, orientation: int) -> bytes:
    body = b"Exif\x00\x00" + _exif(orientation, ">")
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


def _tag_png(data: bytes, orientation: int) -> bytes:
    after_header = 8 + 25
    chunk = png_chunk(b"eXIf", _exif(orientation))
    return data[:after_header] + chunk + data[after_header:]


def _tag_webp(data: bytes, orientation: int) -> bytes:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    height, width = pixels.shape[:2]
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    exif = _exif(orientation)
    chunks = (
        b"VP8X" + struct.pack("<I", 10) + bytes([0x08, 0, 0, 0]) + size,
        data[12:],
        b"EXIF" + struct.pack("<I", len(exif)) + exif,
    )
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


_TAGGERS = {"jpeg": _tag_jpeg, "png": _tag_png, "webp": _tag_webp}


@pytest.fixture(params=["jpeg", "png", "webp"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=range(1, 9))
def orientation(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def stored() -> Callable[[np.ndarray, int], np.ndarray]:
    """Lays displayed pixels out as a camera stores them under an orientation: the inverse turn.

    Written as the EXIF standard words it (what row 0 and column 0 of the stored image show), not as
    the code under test computes it.
    """

    def lay_out(shown: np.ndarray, orientation: int) -> np.ndarray:
        turned = {
            1: shown,  # row 0 is the top, column 0 the left side
            2: shown[:, ::-1],  # top, right
            3: shown[::-1, ::-1],  # bottom, right
            4: shown[::-1],  # bottom, left
            5: shown.transpose(1, 0, 2),  # left, top
            6: shown[:, ::-1].transpose(1, 0, 2),  # right, top
            7: shown[::-1, ::-1].transpose(1, 0, 2),  # right, bottom
            8: shown[::-1].transpose(1, 0, 2),  # left, bottom
        }
        return np.ascontiguousarray(turned[orientation])

    return lay_out
