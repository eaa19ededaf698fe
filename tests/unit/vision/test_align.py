from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from workers.vision.faces.align import CROP_SIZE, TEMPLATE, align, similarity_transform


def turned(
    points: np.ndarray, degrees: float, scale: float, shift: tuple[float, float]
) -> np.ndarray:
    angle = np.deg2rad(degrees)
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (points @ matrix.T + shift).astype(np.float32)


@pytest.mark.parametrize("degrees", [0, 37, 90, 180, -120])
@pytest.mark.parametrize("scale", [0.2, 1, 9])
def test_landmarks_land_on_the_template_whatever_their_turn_and_size(
    degrees: float, scale: float
) -> None:
    landmarks = turned(TEMPLATE, degrees, scale, (300, 200))
    matrix = similarity_transform(landmarks)
    assert np.allclose(landmarks @ matrix[:, :2].T + matrix[:, 2], TEMPLATE, atol=1e-3)


def test_mirrored_landmarks_are_turned_but_never_mirrored() -> None:
    mirrored = (TEMPLATE * [-1, 1] + [CROP_SIZE, 0]).astype(np.float32)
    assert np.linalg.det(similarity_transform(mirrored)[:, :2]) > 0


def test_landmarks_in_one_point_do_not_divide_by_zero() -> None:
    assert np.isfinite(similarity_transform(np.full((5, 2), 7, np.float32))).all()


def test_the_transform_is_that_of_opencvs_align_crop(
    models_dir: Path, portrait: Callable[[str], np.ndarray]
) -> None:
    picture = portrait("grace_hopper.jpg")
    noise = np.random.default_rng(3).normal(0, 2, (5, 2))
    landmarks = (turned(TEMPLATE, 4, 1.2, (200, 150)) + noise).astype(np.float32)
    opencv = cv2.FaceRecognizerSF.create(str(models_dir / "sface_2021dec_fp32.onnx"), "")
    face = np.concatenate([[0, 0, 1, 1], landmarks.reshape(-1), [1]]).astype(np.float32)
    expected = opencv.alignCrop(picture, face)
    assert np.abs(align(picture, landmarks).astype(int) - expected).max() <= 1


def test_a_large_face_is_averaged_not_skipped_through() -> None:
    """Stripes of one pixel must become even grey; plain sampling would show some of them."""
    stripes = np.zeros((1500, 1500, 3), np.uint8)
    stripes[:, ::2] = 255
    crop = align(stripes, turned(TEMPLATE, 11, 8, (200, 200)))
    assert np.abs(crop[10:-10, 10:-10].astype(int) - 127).max() < 40
    assert crop[10:-10, 10:-10].std() < 8


def test_averaging_does_not_move_the_face() -> None:
    picture = np.zeros((1200, 1200, 3), np.uint8)
    landmarks = turned(TEMPLATE, 0, 8, (100, 100))
    centre = landmarks[2]
    cv2.circle(picture, tuple(int(v) for v in centre.round()), 40, (255, 255, 255), -1)
    rows, columns = np.nonzero(align(picture, landmarks)[:, :, 0] > 127)
    assert np.abs([columns.mean(), rows.mean()] - TEMPLATE[2]).max() < 0.2


def test_what_lies_outside_the_picture_is_black() -> None:
    picture = np.full((50, 50, 3), 255, np.uint8)
    assert align(picture, turned(TEMPLATE, 0, 1, (25, 0)))[:, 100].max() == 0
