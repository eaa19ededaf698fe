"""Dark faces are found and recognised; what is bright enough is not touched."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from workers.vision.faces import find_faces
from workers.vision.faces import recogniser as recognise
from workers.vision.faces.align import align
from workers.vision.images import light
from workers.vision.images.light import is_dark, lightened_face, lightened_picture
from workers.vision.results import ImageResult

NAMES = ("obama.jpg", "biden.jpg", "astronaut.png", "grace_hopper.jpg")


def darkened(picture: np.ndarray, light: float, noise: float = 0.0) -> np.ndarray:
    """As a camera stores too little light: in 8 bits, with the noise of its sensor."""
    sensor = np.random.default_rng(7).normal(0, noise, picture.shape) if noise else 0
    return np.clip(np.rint(picture * light + sensor), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def heads(portrait: Callable[[str], np.ndarray]) -> dict[str, np.ndarray]:
    """Portraits at a width of 400 px."""
    pictures = {name: portrait(name) for name in NAMES}
    return {
        name: cv2.resize(p, (400, 400 * p.shape[0] // p.shape[1]), interpolation=cv2.INTER_AREA)
        for name, p in pictures.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_face_in_good_light_is_left_as_it_is(
    run_one: Callable[..., ImageResult],
    encode: Callable[..., bytes],
    heads: dict[str, np.ndarray],
    name: str,
) -> None:
    (face,) = run_one(encode(heads[name], "png"), embed=False).faces
    crop = align(heads[name], face.landmarks)
    assert np.array_equal(lightened_face(crop), crop)


@pytest.mark.parametrize("light", [0.35, 0.1, 0.05])
@pytest.mark.parametrize("name", NAMES)
def test_a_dark_face_stays_the_same_person(
    run_one: Callable[..., ImageResult],
    encode: Callable[..., bytes],
    heads: dict[str, np.ndarray],
    name: str,
    light: float,
) -> None:
    bright = run_one(encode(heads[name], "png")).faces[0].embedding
    dark = run_one(encode(darkened(heads[name], light), "png")).faces[0].embedding
    assert dark @ bright > 0.75


def test_without_lightening_a_dark_face_is_hardly_known(
    run_one: Callable[..., ImageResult],
    encode: Callable[..., bytes],
    heads: dict[str, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it is for: should this pass one day, it can go."""
    monkeypatch.setattr(recognise, "lightened_face", lambda crop: crop)
    bright = run_one(encode(heads["biden.jpg"], "png")).faces[0].embedding
    dark = run_one(encode(darkened(heads["biden.jpg"], 0.05), "png")).faces[0].embedding
    assert dark @ bright < 0.7


@pytest.mark.parametrize(("light", "noise"), [(0.035, 0), (0.035, 1), (0.02, 0), (0.02, 1)])
@pytest.mark.parametrize("name", NAMES)
def test_a_face_in_a_nearly_black_picture_is_found_in_its_place(
    run_one: Callable[..., ImageResult],
    encode: Callable[..., bytes],
    heads: dict[str, np.ndarray],
    name: str,
    light: float,
    noise: float,
) -> None:
    (expected,) = run_one(encode(heads[name], "png"), embed=False).faces
    data = encode(darkened(heads[name], light, noise), "png")
    (face,) = run_one(data, embed=False).faces
    assert np.abs(face.landmarks - expected.landmarks).max() < 0.1 * expected.box.height


def test_without_the_second_look_it_would_not_be(
    run_one: Callable[..., ImageResult],
    encode: Callable[..., bytes],
    heads: dict[str, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(find_faces, "is_dark", lambda _: False)
    for head in heads.values():
        assert run_one(encode(darkened(head, 0.02, 1), "png"), embed=False).faces == ()


@pytest.mark.parametrize("rotation", ["off", "gated", "full"])
def test_a_dark_picture_without_a_face_has_none(
    run_one: Callable[..., ImageResult],
    encode: Callable[..., bytes],
    portrait: Callable[[str], np.ndarray],
    rotation: str,
) -> None:
    shuttle = portrait("astronaut.png")[:250, 300:]  # beside the face
    noise = np.random.default_rng(8).integers(0, 12, (300, 400, 3), np.uint8)
    black = np.zeros((300, 400, 3), np.uint8)
    for picture in (darkened(shuttle, 0.1, 1), darkened(shuttle, 0.03, 1), noise, black):
        assert run_one(encode(picture, "png"), rotation=rotation).faces == ()


@pytest.mark.parametrize("name", NAMES)
def test_lightening_shows_less_noise_than_it_multiplies(
    run_one: Callable[..., ImageResult],
    encode: Callable[..., bytes],
    heads: dict[str, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    (face,) = run_one(encode(heads[name], "png"), embed=False).faces
    crop = align(heads[name], face.landmarks)
    clean, noisy = (lightened_face(darkened(crop, 0.1, noise)) for noise in (0, 2))
    monkeypatch.setattr(light, "_smoothed", lambda pixels: pixels)
    plain = lightened_face(darkened(crop, 0.1, 2))
    inner = (slice(16, -16), slice(16, -16))
    error, before = (np.abs(each.astype(int) - clean)[inner].mean() for each in (noisy, plain))
    assert error < 0.7 * before


def test_a_picture_is_dark_when_half_of_it_is_nearly_black(heads: dict[str, np.ndarray]) -> None:
    assert not is_dark(heads["astronaut.png"])
    assert all(is_dark(darkened(head, 0.1)) for head in heads.values())


def test_closed_shadows_are_opened_where_the_lights_are_bright(
    heads: dict[str, np.ndarray],
) -> None:
    closed = np.rint(255 * (heads["astronaut.png"] / 255.0) ** 4).astype(np.uint8)
    closed[:40, :40] = 255
    opened = lightened_picture(closed)
    assert np.median(opened) > 2 * np.median(closed)
    assert opened[10:30, 10:30].min() > 250


def test_the_quality_of_a_dark_face_is_that_of_the_photograph(
    run_one: Callable[..., ImageResult],
    encode: Callable[..., bytes],
    heads: dict[str, np.ndarray],
) -> None:
    """Lightening helps to recognise it; it does not make a better photograph of it."""
    lights = (1.0, 0.3, 0.1, 0.05)
    pictures = [encode(darkened(heads["obama.jpg"], light), "png") for light in lights]
    qualities = [run_one(data, embed=False).faces[0].quality for data in pictures]
    assert qualities == sorted(qualities, reverse=True)
    assert qualities[-1] < 0.7 * qualities[0]
