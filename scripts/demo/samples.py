"""The sample plan: four people in public-domain portraits, one of them kept as the stranger."""

from __future__ import annotations

from pathlib import Path

from scripts.demo.photos import Photo, Plan
from scripts.demo.variations import vary

OBAMA, BIDEN, COLLINS = "Barack Obama", "Joe Biden", "Eileen Collins"
STRANGER = "Grace Hopper"

_CAVEAT = (
    "What this shows: obama2 and obama3 are other photographs than the enrolled one. The rest are "
    "the enrolled photographs cropped or changed by code, which is easier. "
    f"{STRANGER} is the stranger: nobody enrolled her. A dozen images show that it works, not how "
    "often it errs."
)


def sample_plan(portraits: Path) -> Plan:
    """One photograph of each of three people enrolled; others, and the stranger's, identified."""

    def photo(file: str, person: str) -> Photo:
        return Photo(file, person, (portraits / file).read_bytes)

    def varied(file: str, person: str, variation: str) -> Photo:
        name = f"{Path(file).stem}-{variation}.jpg"
        return Photo(name, person, lambda: vary((portraits / file).read_bytes(), variation))

    return Plan(
        title="samples",
        enrol=(
            photo("obama.jpg", OBAMA),
            photo("biden.jpg", BIDEN),
            photo("astronaut.png", COLLINS),
        ),
        identify=(
            photo("obama2.jpg", OBAMA),
            photo("obama3.jpg", OBAMA),
            photo("obama_partial_face.jpg", OBAMA),
            varied("obama3.jpg", OBAMA, "dark"),
            varied("biden.jpg", BIDEN, "crop"),
            varied("biden.jpg", BIDEN, "jpeg25"),
            varied("astronaut.png", COLLINS, "half"),
            varied("astronaut.png", COLLINS, "bright"),
            photo("grace_hopper.jpg", STRANGER),
            varied("grace_hopper.jpg", STRANGER, "crop"),
            varied("grace_hopper.jpg", STRANGER, "dark"),
        ),
        caveat=_CAVEAT,
    )
