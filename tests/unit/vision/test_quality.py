from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import pytest

from workers.vision.faces.align import TEMPLATE
from workers.vision.faces.quality import face_quality
from workers.vision.results import ImageResult

FRONTAL = (TEMPLATE * 2).astype(np.float32)


@pytest.fixture
def crop(
    portrait: Callable[[str], np.ndarray],
    run_one: Callable[..., ImageResult],
    encode: Callable[..., bytes],
) -> np.ndarray:
    from workers.vision.faces.align import align

    picture = portrait("grace_hopper.jpg")
    (face,) = run_one(encode(picture, "png"), embed=False).faces
    return align(picture, face.landmarks)


def falls(values: list[float]) -> bool:
    return all(a > b for a, b in pairwise(values))


def test_a_good_portrait_scores_high(crop: np.ndarray) -> None:
    assert face_quality(crop, FRONTAL, 0.95) > 0.9


def test_blur_lowers_it(crop: np.ndarray) -> None:
    blurred = [crop] + [cv2.GaussianBlur(crop, (0, 0), sigma) for sigma in (1.5, 3, 5, 8)]
    assert falls([face_quality(each, FRONTAL, 0.95) for each in blurred])


def test_darkness_lowers_it(crop: np.ndarray) -> None:
    darker = [(crop * light).astype(np.uint8) for light in (1.0, 0.4, 0.2, 0.1, 0.04)]
    assert falls([face_quality(each, FRONTAL, 0.95) for each in darker])


def test_overexposure_lowers_it(crop: np.ndarray) -> None:
    brighter = [np.clip(crop * light, 0, 255).astype(np.uint8) for light in (1.5, 2.5, 6.0)]
    assert falls([face_quality(each, FRONTAL, 0.95) for each in brighter])


def test_fewer_pixels_lower_it(crop: np.ndarray) -> None:
    assert falls([face_quality(crop, FRONTAL * scale, 0.95) for scale in (0.5, 0.3, 0.2, 0.13)])


def test_a_turned_head_lowers_it(crop: np.ndarray) -> None:
    def yaw(offset: float) -> np.ndarray:
        landmarks = FRONTAL.copy()
        landmarks[2, 0] += offset * (FRONTAL[1, 0] - FRONTAL[0, 0])
        return landmarks

    assert falls([face_quality(crop, yaw(offset), 0.95) for offset in (0, 0.2, 0.3, 0.4)])


def test_a_nodding_head_lowers_it(crop: np.ndarray) -> None:
    def pitch(offset: float) -> np.ndarray:
        landmarks = FRONTAL.copy()
        landmarks[2, 1] += offset * (FRONTAL[3, 1] - FRONTAL[0, 1])
        return landmarks

    assert falls([face_quality(crop, pitch(offset), 0.95) for offset in (0, 0.2, 0.3, 0.4)])


def test_an_unsure_detector_lowers_it(crop: np.ndarray) -> None:
    assert falls([face_quality(crop, FRONTAL, score) for score in (0.9, 0.8, 0.7, 0.6)])


def test_roll_does_not_count(crop: np.ndarray) -> None:
    angle = np.deg2rad(40)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    rolled = (FRONTAL @ turn.T).astype(np.float32)
    assert face_quality(crop, rolled, 0.95) == pytest.approx(
        face_quality(crop, FRONTAL, 0.95), 1e-3
    )


def test_it_stays_between_0_and_1_for_nonsense() -> None:
    flat = np.zeros((112, 112, 3), np.uint8)
    assert 0 <= face_quality(flat, np.zeros((5, 2), np.float32), 0.0) < 0.01
