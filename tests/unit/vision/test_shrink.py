"""Pictures made smaller for the detector."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from workers.vision.images.shrink import resized


@pytest.mark.parametrize("scale", [0.9, 0.5, 0.31, 0.2, 0.07])
def test_a_point_stays_in_its_place(scale: float) -> None:
    picture = np.zeros((901, 1203, 3), np.uint8)
    cv2.circle(picture, (700, 301), 40, (255, 255, 255), -1)
    small = resized(picture, scale)[..., 0].astype(float)
    rows, columns = np.indices(small.shape)
    middle = np.array([(columns * small).sum(), (rows * small).sum()]) / small.sum()
    assert (middle + 0.5) / scale == pytest.approx([700.5, 301.5], abs=0.5 / scale)


@pytest.mark.parametrize("scale", [0.45, 0.3, 0.12])
def test_fine_stripes_become_grey_not_coarse_stripes(scale: float) -> None:
    picture = np.zeros((960, 1280, 3), np.uint8)
    picture[:, ::2] = 255
    small = resized(picture, scale)
    assert small.std() < 3
    assert small.mean() == pytest.approx(127.5, abs=2)


def test_the_size_is_that_of_the_scale() -> None:
    assert resized(np.zeros((2448, 3264, 3), np.uint8), 640 / 3264).shape == (480, 640, 3)


def test_a_thin_picture_keeps_a_pixel() -> None:
    assert resized(np.zeros((1, 4000, 3), np.uint8), 0.1).shape == (1, 400, 3)
