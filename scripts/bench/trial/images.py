"""Pictures of real people, no two alike: variations of public-domain portraits, made by code."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from scripts.stack.assets import fetch_portraits
from scripts.stack.state import DEFAULT_STATE, locked

# The people, by the file that shows each best.
PEOPLE = {
    "obama": "obama.jpg",
    "biden": "biden.jpg",
    "collins": "astronaut.png",
    "hopper": "grace_hopper.jpg",
}
# Long sides in pixels, and how often: mostly small.
_SIDES = {160: 8, 224: 6, 320: 3, 640: 1}


@dataclass(frozen=True)
class Picture:
    """An image file and who is in it; nobody when it is not a picture of one person."""

    content: bytes
    person: str | None


def portraits() -> Path:
    """The folder of portraits; fetched once."""
    with locked(DEFAULT_STATE):
        return fetch_portraits()


@cache
def _portrait(name: str) -> Any:
    image = cv2.imread(str(portraits() / name))
    if image is None:
        raise ValueError(f"{name} is no picture")
    return image


def original(person: str) -> Picture:
    """A person's portrait as it is."""
    return Picture((portraits() / PEOPLE[person]).read_bytes(), person)


def variation(rng: random.Random) -> Picture:
    """Some person, cropped, scaled, lit and compressed at random."""
    person = rng.choice(sorted(PEOPLE))
    return Picture(_encode(_varied(rng, _portrait(PEOPLE[person])), rng), person)


def small_face(rng: random.Random) -> Picture:
    """A small picture that shows one face, whatever the seed: an enrolment takes it."""
    image = cv2.resize(_portrait(PEOPLE["collins"])[:300, 100:400], (160, 160))
    lit = cv2.convertScaleAbs(image, alpha=rng.uniform(0.9, 1.1), beta=rng.uniform(-10, 10))
    return Picture(_encode(lit, rng), "collins")


def two_people(rng: random.Random) -> Picture:
    """Two people side by side."""
    pair = rng.sample(sorted(PEOPLE), 2)
    sides = [cv2.resize(_portrait(PEOPLE[name])[:480, :480], (256, 256)) for name in pair]
    return Picture(_encode(np.hstack(sides), rng), None)


def nobody(rng: random.Random) -> Picture:
    """A picture without a face."""
    noise = np.random.default_rng(rng.getrandbits(32)).integers(0, 255, (24, 24, 3))
    return Picture(_encode(cv2.resize(noise.astype(np.uint8), (160, 160)), rng), None)


def not_an_image(rng: random.Random) -> Picture:
    """A file that is something else."""
    return Picture(f"this is text {rng.getrandbits(64)}".encode(), None)


def _varied(rng: random.Random, image: Any) -> Any:
    height, width = image.shape[:2]
    left, top = (rng.random() * 0.06 * side for side in (width, height))
    right, bottom = (side * (1 - rng.random() * 0.06) for side in (width, height))
    image = image[int(top) : int(bottom), int(left) : int(right)]
    side = rng.choices(list(_SIDES), weights=list(_SIDES.values()))[0]
    scale = side / max(image.shape[:2])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.convertScaleAbs(image, alpha=rng.uniform(0.8, 1.2), beta=rng.uniform(-15, 15))


def _encode(image: Any, rng: random.Random) -> bytes:
    # One pixel's colour from the seed: files differ even where nothing else does.
    image = np.ascontiguousarray(image)
    image[0, 0] = [rng.randrange(256) for _ in range(3)]
    quality = [cv2.IMWRITE_JPEG_QUALITY, rng.randint(80, 96)]
    return bytes(cv2.imencode(".jpg", image, quality)[1].tobytes())
