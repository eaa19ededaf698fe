"""Heads that are turned in the picture's plane, against upright galleries."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from workers.vision.results import ImageResult

NAMES = ("obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png", "grace_hopper.jpg")


def turned(picture: np.ndarray, degrees: float) -> np.ndarray:
    height, width = picture.shape[:2]
    side = int(np.hypot(height, width)) + 2
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    matrix[:, 2] += [side / 2 - width / 2, side / 2 - height / 2]
    return cv2.warpAffine(picture, matrix, (side, side), borderValue=(104, 117, 123))


@pytest.fixture(scope="module")
def heads(
    run_one: Callable[..., ImageResult],
    portrait: Callable[[str], np.ndarray],
    encode: Callable[..., bytes],
) -> dict[str, np.ndarray]:
    """Each portrait's head with its surroundings, small enough to turn quickly."""
    cut = {}
    for name in NAMES:
        picture = portrait(name)
        box = run_one(encode(picture, "png"), embed=False).faces[0].box
        reach = box.height
        top, left = max(0, box.y - reach // 2), max(0, box.x - reach // 2)
        head = picture[top : box.y + 2 * reach, left : box.x + 2 * reach]
        scale = 400 / max(head.shape)
        cut[name] = cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cut


@pytest.mark.parametrize("rotation", ["gated", "full"])
@pytest.mark.parametrize(
    "degrees", [15, 22.5, 30, 45, 60, 67.5, 90, 112.5, 135, 157.5, 180, 270, 330]
)
def test_a_turned_head_is_the_same_person_and_nobody_else(
    run_one: Callable[..., ImageResult],
    encode: Callable[..., bytes],
    heads: dict[str, np.ndarray],
    degrees: float,
    rotation: str,
) -> None:
    upright = {n: run_one(encode(head, "png")).faces[0].embedding for n, head in heads.items()}
    for name, head in heads.items():
        data = encode(turned(head, degrees), "png")
        (face,) = run_one(data, rotation=rotation).faces
        assert face.embedding is not None
        assert face.embedding @ upright[name] > 0.7
        strangers = [n for n in NAMES if n[:5] != name[:5]]
        assert max(face.embedding @ upright[other] for other in strangers) < 0.363


def test_without_the_search_turned_heads_are_lost(
    run_one: Callable[..., ImageResult],
    encode: Callable[..., bytes],
    heads: dict[str, np.ndarray],
) -> None:
    """What the search is for: should this pass one day, it can go."""
    head = heads["biden.jpg"]
    upright = run_one(encode(head, "png")).faces[0].embedding
    faces = run_one(encode(turned(head, 90), "png"), rotation="off").faces
    assert not faces or faces[0].embedding @ upright < 0.363


def test_an_upright_face_is_left_alone_by_the_gate(
    run_one: Callable[..., ImageResult],
    encode: Callable[..., bytes],
    heads: dict[str, np.ndarray],
) -> None:
    data = encode(heads["grace_hopper.jpg"], "png")
    off, gated = (run_one(data, rotation=each).faces[0] for each in ("off", "gated"))
    assert np.array_equal(off.landmarks, gated.landmarks)


@pytest.mark.parametrize("rotation", ["gated", "full"])
def test_the_search_invents_no_faces(
    run_one: Callable[..., ImageResult], encode: Callable[..., bytes], rotation: str
) -> None:
    rows, columns = np.mgrid[0:400, 0:500]
    waves = (127 + 60 * np.sin(rows / 9) + 60 * np.sin(columns / 13)).astype(np.uint8)
    noise = np.random.default_rng(8).integers(0, 255, (400, 500), np.uint8)
    for picture in (waves, noise):
        assert run_one(encode(picture, "png"), rotation=rotation).faces == ()


@pytest.mark.parametrize("rotation", ["gated", "full"])
def test_a_face_is_reported_once_however_many_sights_led_to_it(
    run_one: Callable[..., ImageResult],
    encode: Callable[..., bytes],
    portrait: Callable[[str], np.ndarray],
    rotation: str,
) -> None:
    picture = portrait("obama3.jpg")  # its chin alone looks like a face to some cells
    assert len(run_one(encode(picture, "jpeg"), rotation=rotation).faces) == 1


def test_a_turned_face_among_upright_ones_is_found_by_the_full_search(
    run_one: Callable[..., ImageResult],
    encode: Callable[..., bytes],
    heads: dict[str, np.ndarray],
) -> None:
    canvas = np.full((420, 900, 3), 110, np.uint8)
    upright, lying = heads["astronaut.png"], np.rot90(heads["grace_hopper.jpg"])
    canvas[: upright.shape[0], : upright.shape[1]] = upright
    canvas[: lying.shape[0], 460 : 460 + lying.shape[1]] = lying
    assert len(run_one(encode(canvas, "png"), rotation="full").faces) == 2


def test_a_lying_face_that_no_upright_view_proposes_is_found_from_the_side(
    run_one: Callable[..., ImageResult],
    encode: Callable[..., bytes],
    portrait: Callable[[str], np.ndarray],
) -> None:
    upright = portrait("grace_hopper.jpg")
    lying = np.ascontiguousarray(np.rot90(upright))
    expected = run_one(encode(upright, "png")).faces[0]
    (face,) = run_one(encode(lying, "png")).faces
    assert face.embedding @ expected.embedding > 0.7
    # A quarter turn anticlockwise takes x, y to y, width - x.
    top = upright.shape[1] - expected.box.x - expected.box.width
    assert abs(face.box.x - expected.box.y) < 40
    assert abs(face.box.y - top) < 40
