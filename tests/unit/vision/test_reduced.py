"""Large JPEGs decoded at a fraction of their scale, where nothing is lost by it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.domain.image_header import read_image_header
from workers.vision import pipeline as pipeline_module
from workers.vision import reduced
from workers.vision.decode import decode_in_process
from workers.vision.decode_apart import ApartDecoder
from workers.vision.pipeline import ImageResult

Encode = Callable[..., bytes]
RunOne = Callable[..., ImageResult]


@pytest.fixture
def large(portraits: Path) -> Callable[[int], np.ndarray]:
    """A smooth picture of 3200 x 2400 with one portrait of the given height in it."""

    def make(height: int) -> np.ndarray:
        coarse = np.random.default_rng(1).integers(60, 190, (9, 12, 3), np.uint8)
        canvas = cv2.resize(coarse, (3200, 2400), interpolation=cv2.INTER_CUBIC)
        head = cv2.imread(str(portraits / "obama.jpg"))
        head = cv2.resize(head, (head.shape[1] * height // head.shape[0], height))
        canvas[300 : 300 + height, 700 : 700 + head.shape[1]] = head
        return canvas

    return make


@pytest.mark.parametrize("reduction", [2, 4])
@pytest.mark.parametrize("orientation", [1, 6])
def test_it_is_the_picture_at_a_fraction_of_its_sides(
    portraits: Path, encode: Encode, orientation: int, reduction: int
) -> None:
    pixels = cv2.imread(str(portraits / "obama.jpg"))[:501, :403]
    data = encode(pixels, "jpeg", orientation)
    header = read_image_header(data)
    small = decode_in_process(data, header, reduction)
    whole = decode_in_process(data, header)
    assert small.shape[:2] == tuple(-(-side // reduction) for side in whole.shape[:2])
    expected = cv2.resize(whole, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - expected).mean() < 5


def test_the_helper_decodes_a_reduced_picture_as_the_process_itself_would(
    large: Callable[[int], np.ndarray], encode: Encode
) -> None:
    data = encode(large(900), "jpeg")
    header = read_image_header(data)
    decoder = ApartDecoder(1, seconds=10)
    assert (decoder(data, header, 2) == decode_in_process(data, header, 2)).all()
    decoder.close()


@pytest.mark.parametrize(
    ("size", "kind", "min_face", "expected"),
    [
        ((3264, 2448), "jpeg", 32, 2),
        ((3264, 2448), "jpeg", 31, 1),
        ((3264, 2448), "png", 80, 1),
        ((1600, 1200), "jpeg", 80, 1),
        ((6000, 4000), "jpeg", 80, 4),
    ],
)
def test_pictures_are_reduced_only_where_the_detector_needs_no_more(
    encode: Encode, size: tuple[int, int], kind: str, min_face: int, expected: int
) -> None:
    header = read_image_header(encode(np.zeros((size[1], size[0], 3), np.uint8), kind))
    assert reduced.reduction_for(header, min_face) == expected


@pytest.mark.parametrize("height", [220, 900, 2000])
def test_a_face_is_described_as_from_all_pixels(
    large: Callable[[int], np.ndarray],
    encode: Encode,
    run_one: RunOne,
    monkeypatch: pytest.MonkeyPatch,
    height: int,
) -> None:
    data = encode(large(height), "jpeg")
    found = run_one(data, min_face=48)
    monkeypatch.setattr("workers.vision.load_images.reduction_for", lambda *_: 1)
    expected = run_one(data, min_face=48)
    assert (found.width, found.height) == (3200, 2400)
    assert len(found.faces) == len(expected.faces) == 1
    face, whole = found.faces[0], expected.faces[0]
    assert face.embedding @ whole.embedding > 0.985
    assert abs(face.quality - whole.quality) < 0.05
    assert np.abs(face.landmarks - whole.landmarks).max() < 0.02 * whole.box.height


def test_a_face_that_would_lose_pixels_gets_them_all(
    large: Callable[[int], np.ndarray],
    encode: Encode,
    run_one: RunOne,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []
    align = pipeline_module.align
    monkeypatch.setattr(
        pipeline_module,
        "align",
        lambda pixels, points: seen.append(pixels.shape[1]) or align(pixels, points),
    )
    run_one(encode(large(220), "jpeg"), min_face=48)
    run_one(encode(large(900), "jpeg"), min_face=48)
    assert seen == [3200, 1600]
