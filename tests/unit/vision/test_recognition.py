"""What the pipeline promises about real people: who is alike, who is not, where they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from itertools import combinations, permutations
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.domain.model_registry import load_registry
from workers.vision.pipeline import ImageInput, PipelineOptions, RecognitionPipeline
from workers.vision.results import ImageResult

REFERENCES = Path(__file__).with_name("reference_embeddings.json")
THRESHOLD = load_registry().model("SFace").default_threshold
SMALL = "grace_hopper.jpg, 32 px high"
MARGIN = 0.08
STRANGER_MARGIN = 0.05

PEOPLE = {
    "obama": ("obama.jpg", "obama2.jpg", "obama3.jpg"),
    "biden": ("biden.jpg",),
    "collins": ("astronaut.png",),
    "hopper": ("grace_hopper.jpg",),
}
EVERYONE = [name for names in PEOPLE.values() for name in names]

VARIATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "half the size": lambda p: cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "cropped": lambda p: p[15 : p.shape[0] - 15, 25 : p.shape[1] - 5],
    "mirrored": lambda p: np.ascontiguousarray(p[:, ::-1]),
    "dark": lambda p: (p * 0.3).astype(np.uint8),
    "bright": lambda p: np.clip(p * 1.4, 0, 255).astype(np.uint8),
    "grey": lambda p: cv2.cvtColor(cv2.cvtColor(p, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR),
    "blurred": lambda p: cv2.GaussianBlur(p, (0, 0), 2),
    "poor jpeg": lambda p: cv2.imdecode(
        cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, 15])[1], cv2.IMREAD_COLOR
    ),
}


@pytest.fixture(scope="module")
def embedding(run_one: Callable[..., ImageResult], portraits: Path) -> Callable[[str], np.ndarray]:
    found = {name: run_one((portraits / name).read_bytes()).faces[0] for name in EVERYONE}
    return lambda name: found[name].embedding


def test_photographs_of_one_person_are_above_the_threshold(
    embedding: Callable[[str], np.ndarray],
) -> None:
    for one, other in combinations(PEOPLE["obama"], 2):
        assert embedding(one) @ embedding(other) > THRESHOLD + MARGIN


def test_photographs_of_different_people_are_below_the_threshold(
    embedding: Callable[[str], np.ndarray],
) -> None:
    for (_, some), (_, others) in combinations(PEOPLE.items(), 2):
        for one in some:
            for other in others:
                assert embedding(one) @ embedding(other) < THRESHOLD - STRANGER_MARGIN


@pytest.mark.parametrize("variation", VARIATIONS)
@pytest.mark.parametrize("name", EVERYONE)
def test_a_person_is_recognised_in_a_changed_photograph_and_nobody_else_is(
    run_one: Callable[..., ImageResult],
    portrait: Callable[[str], np.ndarray],
    encode: Callable[..., bytes],
    embedding: Callable[[str], np.ndarray],
    name: str,
    variation: str,
) -> None:
    changed = VARIATIONS[variation](portrait(name))
    face = run_one(encode(changed, "png")).faces[0]
    person = next(person for person, names in PEOPLE.items() if name in names)
    assert face.embedding @ embedding(name) > THRESHOLD + MARGIN
    for other, names in PEOPLE.items():
        if other != person:
            assert max(face.embedding @ embedding(each) for each in names) < THRESHOLD


def test_every_face_of_a_batch_of_groups_has_the_embedding_of_whom_its_box_shows(
    pipeline: RecognitionPipeline,
    portrait: Callable[[str], np.ndarray],
    encode: Callable[..., bytes],
    embedding: Callable[[str], np.ndarray],
) -> None:
    groups = [names for count in (3, 1, 2) for names in permutations(EVERYONE[2:5], count)][:8]
    images = [
        ImageInput(group, partial(encode, beside(*map(portrait, group)), "png"), PipelineOptions())
        for group in groups
    ]
    results = [result for batch in pipeline.run(images) for result in batch]
    assert {result.key for result in results} == set(groups)
    for result in results:
        assert isinstance(result.key, tuple)
        from_left = sorted(result.faces, key=lambda face: face.box.x)
        assert len(from_left) == len(result.key)
        for name, face in zip(result.key, from_left, strict=True):
            assert face.embedding is not None
            assert face.embedding @ embedding(name) > 0.8


def beside(*pictures: np.ndarray) -> np.ndarray:
    """Pictures in a row, each a little smaller than the one before: their faces are ordered."""
    sizes = [400 - 60 * place for place in range(len(pictures))]
    canvas = np.full((400, sum(sizes), 3), 120, np.uint8)
    for place, (picture, size) in enumerate(zip(pictures, sizes, strict=True)):
        left = sum(sizes[:place])
        scale = size / max(picture.shape)
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        canvas[: small.shape[0], left : left + small.shape[1]] = small
    return canvas


def test_a_partly_hidden_face_is_recognised(
    run_one: Callable[..., ImageResult], portraits: Path, embedding: Callable[[str], np.ndarray]
) -> None:
    face = run_one((portraits / "obama_partial_face.jpg").read_bytes()).faces[0]
    assert face.embedding @ embedding("obama.jpg") > THRESHOLD + MARGIN


def test_the_same_picture_is_the_same_face_in_every_format_and_orientation(
    run_one: Callable[..., ImageResult],
    portrait: Callable[[str], np.ndarray],
    encode: Callable[..., bytes],
    stored: Callable[[np.ndarray, int], np.ndarray],
    kind: str,
    orientation: int,
) -> None:
    picture = portrait("astronaut.png")
    expected = run_one(encode(picture, "png")).faces[0]
    result = run_one(encode(stored(picture, orientation), kind, orientation))
    (face,) = result.faces
    assert (result.width, result.height) == (picture.shape[1], picture.shape[0])
    assert face.embedding @ expected.embedding >= 0.98
    for side in ("x", "y", "width", "height"):
        assert abs(getattr(face.box, side) - getattr(expected.box, side)) <= 3


@pytest.mark.parametrize("name", ["astronaut.png", "grace_hopper.jpg", "obama2.jpg"])
def test_embeddings_stay_what_they_were_when_recorded(
    embedding: Callable[[str], np.ndarray], name: str
) -> None:
    """Swapped channels cost 0.07 of cosine and a pixel of shift 0.017: either fails here."""
    reference = np.array(json.loads(REFERENCES.read_text(encoding="utf-8"))[name])
    assert embedding(name) @ reference >= 0.999


def test_the_embedding_of_a_small_face_stays_what_it_was_when_recorded(
    run_one: Callable[..., ImageResult],
    portrait: Callable[[str], np.ndarray],
    encode: Callable[..., bytes],
) -> None:
    """It is enlarged by cubic interpolation; bilinear costs 0.02."""
    reference = np.array(json.loads(REFERENCES.read_text(encoding="utf-8"))[SMALL])
    (face,) = run_one(encode(on_canvas(portrait("grace_hopper.jpg"), 32), "png")).faces
    assert face.embedding @ reference >= 0.999


def test_swapped_channels_would_be_noticed(
    run_one: Callable[..., ImageResult],
    portrait: Callable[[str], np.ndarray],
    encode: Callable[..., bytes],
) -> None:
    picture = portrait("grace_hopper.jpg")
    reference = np.array(json.loads(REFERENCES.read_text(encoding="utf-8"))["grace_hopper.jpg"])
    swapped = run_one(encode(np.ascontiguousarray(picture[:, :, ::-1]), "png")).faces[0]
    assert swapped.embedding @ reference < 0.99


@pytest.mark.parametrize("height", [24, 32, 48])
def test_tiny_faces_are_found_and_more_like_themselves_than_like_others(
    run_one: Callable[..., ImageResult],
    portrait: Callable[[str], np.ndarray],
    encode: Callable[..., bytes],
    embedding: Callable[[str], np.ndarray],
    height: int,
) -> None:
    canvas = on_canvas(portrait("grace_hopper.jpg"), height)
    (face,) = run_one(encode(canvas, "png"), min_face=16).faces
    assert face.embedding @ embedding("grace_hopper.jpg") > THRESHOLD + MARGIN
    assert max(face.embedding @ embedding(name) for name in EVERYONE[:-1]) < THRESHOLD


def on_canvas(picture: np.ndarray, height: int) -> np.ndarray:
    """Grace Hopper with a face of this height, on plain grey."""
    scale = height / 214  # the face is 214 px high
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas = np.full((300, 400, 3), 120, np.uint8)
    canvas[90 : 90 + small.shape[0], 130 : 130 + small.shape[1]] = small
    return canvas


@pytest.mark.parametrize("scale", [3.0, 6.0])
def test_huge_faces_are_recognised(
    run_one: Callable[..., ImageResult],
    portrait: Callable[[str], np.ndarray],
    encode: Callable[..., bytes],
    embedding: Callable[[str], np.ndarray],
    scale: float,
) -> None:
    picture = cv2.resize(portrait("grace_hopper.jpg"), None, fx=scale, fy=scale)
    (face,) = run_one(encode(picture, "jpeg")).faces
    assert face.embedding @ embedding("grace_hopper.jpg") > 0.9
