"""Landmarks that a first look got wrong are better after the second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from workers.vision.engines.onnx_runtime import OnnxRuntimeEngine
from workers.vision.faces.detect import Detections, Detector
from workers.vision.faces.second_look import look_again

NAMES = ("obama.jpg", "biden.jpg", "astronaut.png", "grace_hopper.jpg")


@pytest.fixture(scope="module")
def detector(models_dir: Path) -> Detector:
    return Detector(OnnxRuntimeEngine().load(models_dir / "yunet_2023mar_fp32.onnx"))


def first_look(detector: Detector, picture: np.ndarray) -> Detections:
    return detector.detect([picture])[0].take([0])


@pytest.mark.parametrize("name", NAMES)
def test_landmarks_that_are_off_come_closer_to_where_they_belong(
    detector: Detector, portrait: Callable[[str], np.ndarray], name: str
) -> None:
    picture = portrait(name)
    face = first_look(detector, picture)
    shift = 0.05 * face.boxes[0, 2:]
    off = Detections(face.boxes, face.landmarks + shift, face.scores)
    (again,) = look_again(detector, [picture], [off])
    assert np.abs(again.landmarks - face.landmarks).mean() < 0.7 * shift.mean()


def test_a_face_that_is_not_seen_again_keeps_its_landmarks(
    detector: Detector, portrait: Callable[[str], np.ndarray]
) -> None:
    face = first_look(detector, portrait("astronaut.png"))
    grey = np.full((512, 512, 3), 127, np.uint8)
    (again,) = look_again(detector, [grey], [face])
    assert np.array_equal(again.landmarks, face.landmarks)


def test_pictures_without_faces_stay_without_beside_others(
    detector: Detector, portrait: Callable[[str], np.ndarray]
) -> None:
    picture = portrait("astronaut.png")
    face = first_look(detector, picture)
    alone = look_again(detector, [picture], [face])[0]
    nobody, somebody = look_again(detector, [picture, picture], [face.take([]), face])
    assert len(nobody) == 0
    assert np.array_equal(somebody.landmarks, alone.landmarks)
