from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from workers.vision.engines.onnx_runtime import OnnxRuntimeEngine
from workers.vision.faces.detect import Detections, Detector, suppress
from workers.vision.faces.find_faces import find_faces
from workers.vision.results import PipelineOptions

OPTIONS = PipelineOptions()


@pytest.fixture(scope="module")
def detector(models_dir: Path) -> Detector:
    return Detector(OnnxRuntimeEngine().load(models_dir / "yunet_2023mar_fp32.onnx"))


def find(detector: Detector, picture: np.ndarray, **options: object) -> Detections:
    return find_faces(detector, [picture], [PipelineOptions(**options)])[0]


def pasted(picture: np.ndarray, canvas: np.ndarray, x: int, y: int, scale: float) -> None:
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas[y : y + small.shape[0], x : x + small.shape[1]] = small


def middle(box: np.ndarray) -> np.ndarray:
    return box[:2] + box[2:] / 2


def test_finds_the_boxes_that_opencvs_detector_finds(
    detector: Detector,
    models_dir: Path,
    portrait: Callable[[str], np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.vision.faces.detect._agreed", lambda kept, _candidates: kept)
    picture = portrait("astronaut.png")
    opencv = cv2.FaceDetectorYN.create(
        str(models_dir / "yunet_2023mar_fp32.onnx"), "", (512, 512), 0.7, 0.3
    )
    _, expected = opencv.detect(picture)
    (found,) = detector.detect([picture])
    assert len(found) == len(expected) == 1
    assert np.abs(found.boxes - expected[:, :4]).max() < 0.01
    assert np.abs(found.landmarks.reshape(-1, 10) - expected[:, 4:14]).max() < 0.01
    assert np.abs(found.scores - expected[:, 14]).max() < 1e-4


def test_a_picture_without_a_face_has_none(detector: Detector) -> None:
    assert len(find(detector, np.full((300, 400, 3), 127, np.uint8))) == 0


def test_pictures_of_one_shape_and_of_many_are_found_alike_in_a_batch(
    detector: Detector, portrait: Callable[[str], np.ndarray]
) -> None:
    pictures = [portrait("astronaut.png"), portrait("grace_hopper.jpg"), portrait("obama.jpg")]
    together = find_faces(detector, pictures, [OPTIONS] * 3)
    for picture, faces in zip(pictures, together, strict=True):
        alone = find(detector, picture)
        assert np.allclose(faces.boxes, alone.boxes, atol=0.01)


def test_faces_are_ordered_by_area_largest_first(
    detector: Detector, portrait: Callable[[str], np.ndarray]
) -> None:
    canvas = np.full((900, 1400, 3), 90, np.uint8)
    pasted(portrait("astronaut.png"), canvas, 20, 20, 0.5)
    pasted(portrait("grace_hopper.jpg"), canvas, 700, 100, 1.0)
    pasted(portrait("obama.jpg"), canvas, 300, 400, 0.3)
    faces = find(detector, canvas)
    areas = faces.boxes[:, 2:].prod(axis=1)
    assert len(faces) == 3
    assert list(areas) == sorted(areas, reverse=True)


class Scripted(Detector):
    """Sees these boxes in every picture, all with one score."""

    def __init__(self, boxes: list[list[float]], score: float = 0.95) -> None:
        self._faces = Detections(
            np.array(boxes, np.float32),
            np.zeros((len(boxes), 5, 2), np.float32),
            np.full(len(boxes), score, np.float32),
        )

    def detect(self, pictures: Sequence[np.ndarray]) -> list[Detections]:
        return [self._faces for _ in pictures]


def test_the_area_inside_the_picture_orders_neither_width_nor_height() -> None:
    wide, tall, square = [0, 0, 120, 30], [200, 100, 30, 130], [0, 200, 70, 70]
    outside = [370, 250, 300, 300]  # 30 x 50 pixels of it are in the picture
    picture = np.full((300, 400, 3), 127, np.uint8)
    faces = find(Scripted([outside, wide, tall, square]), picture, rotation="off")
    assert faces.boxes.tolist() == [square, tall, wide, outside]


@pytest.mark.parametrize("rotation", ["off", "gated", "full"])
def test_a_face_below_the_wanted_confidence_is_left_out(
    detector: Detector, portrait: Callable[[str], np.ndarray], rotation: str
) -> None:
    picture = portrait("astronaut.png")
    (score,) = find(detector, picture, rotation=rotation).scores
    wanted = float(score) + 0.005
    assert len(find(detector, picture, rotation=rotation, detection_confidence=wanted)) == 0


def test_max_faces_keeps_the_largest(
    detector: Detector, portrait: Callable[[str], np.ndarray]
) -> None:
    canvas = np.full((700, 1200, 3), 90, np.uint8)
    pasted(portrait("astronaut.png"), canvas, 20, 20, 0.5)
    pasted(portrait("grace_hopper.jpg"), canvas, 650, 50, 1.0)
    (box,) = find(detector, canvas, max_faces=1).boxes
    assert box[0] > 650


@pytest.mark.parametrize("size", [(1000, 800), (3000, 2000), (4600, 3400)])
def test_a_face_of_24_pixels_is_found_in_a_picture_of_any_size(
    detector: Detector, portrait: Callable[[str], np.ndarray], size: tuple[int, int]
) -> None:
    picture = portrait("grace_hopper.jpg")
    canvas = np.full((size[1], size[0], 3), 100, np.uint8)
    x, y = size[0] * 2 // 3, size[1] // 2
    pasted(picture, canvas, x, y, 28 / 214)  # the face is 214 px high
    faces = find(detector, canvas, min_face=24)
    assert len(faces) == 1
    expected = np.array([x + 267 * 28 / 214, y + 226 * 28 / 214])
    assert np.abs(middle(faces.boxes[0]) - expected).max() < 4


@pytest.mark.parametrize("rotation", ["off", "gated", "full"])
def test_a_small_face_beside_one_that_fills_the_picture_is_found_too(
    detector: Detector, portrait: Callable[[str], np.ndarray], rotation: str
) -> None:
    """No large face may let the detector get by with a smaller picture."""
    large = cv2.resize(portrait("grace_hopper.jpg"), None, fx=3, fy=3)  # its face is 640 px high
    canvas = np.full((large.shape[0], large.shape[1] + 400, 3), 100, np.uint8)
    canvas[:, : large.shape[1]] = large
    pasted(portrait("astronaut.png"), canvas, large.shape[1] + 100, 700, 32 / 115)
    faces = find(detector, canvas, min_face=24, rotation=rotation)
    assert len(faces) == 2
    heights = faces.boxes[:, 3]
    assert heights[0] > 500
    assert 24 < heights[1] < 40


def test_a_face_cut_by_tile_borders_is_found_once(
    detector: Detector, portrait: Callable[[str], np.ndarray]
) -> None:
    canvas = np.full((2600, 3900, 3), 100, np.uint8)
    for x in range(0, 3300, 540):
        pasted(portrait("grace_hopper.jpg"), canvas, x, 1000, 1.0)
    assert len(find(detector, canvas)) == 7


def test_small_faces_between_two_tiles_are_whole_in_one_of_them(
    detector: Detector, portrait: Callable[[str], np.ndarray]
) -> None:
    canvas = np.full((1500, 3840, 3), 100, np.uint8)  # 2560 px wide for the detector: two tiles
    expected = []
    for row in range(6):
        x, y = 1920 - 75 + 6 * (row - 3), 20 + 245 * row  # the face's middle is 75 px to the right
        pasted(portrait("grace_hopper.jpg"), canvas, x, y, 60 / 214)
        expected.append([x + 75, y + 63])
    faces = find(detector, canvas, rotation="off")
    assert len(faces) == 6
    middles = sorted((middle(box) for box in faces.boxes), key=lambda point: point[1])
    assert np.abs(np.array(middles) - expected).max() < 5


@pytest.mark.parametrize("scale", [4.0, 6.0])
def test_a_face_that_fills_a_huge_picture_is_found_whole(
    detector: Detector, portrait: Callable[[str], np.ndarray], scale: float
) -> None:
    picture = cv2.resize(portrait("grace_hopper.jpg"), None, fx=scale, fy=scale)
    (box,) = find(detector, picture).boxes
    assert np.abs(box / scale - [182, 119, 171, 214]).max() < 20


def test_faces_smaller_than_min_face_are_left_out(
    detector: Detector, portrait: Callable[[str], np.ndarray]
) -> None:
    picture = portrait("astronaut.png")  # its face is 115 px high
    assert len(find(detector, picture, min_face=100)) == 1
    assert len(find(detector, picture, min_face=140)) == 0


def test_overlapping_boxes_leave_the_best(
    detector: Detector, portrait: Callable[[str], np.ndarray]
) -> None:
    (faces,) = detector.detect([portrait("astronaut.png")])
    twice = faces.take([0, 0])
    assert len(suppress(twice)) == 1
