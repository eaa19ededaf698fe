from __future__ import annotations

from typing import Any

import pytest

from scripts.importing.effects import Effects
from scripts.importing.plan import Plan
from scripts.importing.source import Source

NAMES = {"s-ada": "ada", "s-bob": "bob"}
ENROLMENT = Plan(Source("photos"), "enrol", "staff", subject_from_folder=True)


def effect(*faces: dict[str, Any], plan: Plan = ENROLMENT, state: str = "succeeded") -> Any:
    def name_of(collection_id: str, subject_id: str) -> str | None:
        assert collection_id == "staff"
        assert subject_id is not None
        return NAMES.get(subject_id)

    return dict(Effects(plan, name_of).of("ada/1.jpg", {"state": state, "faces": list(faces)}))


def known(subject_id: str | None) -> dict[str, Any]:
    return {"enrolled": False, "reason": "already_enrolled", "subject_id": subject_id}


def test_a_new_face_is_enrolled() -> None:
    assert effect({"enrolled": True, "subject_id": "s-ada"}) == {"effect": "enrolled"}


def test_the_same_photograph_of_the_same_person_is_already_enrolled() -> None:
    assert effect(known("s-ada")) == {"effect": "already_enrolled"}


@pytest.mark.parametrize(
    ("subject_id", "name"), [("s-bob", "bob"), (None, "nobody"), ("deleted", "nobody")]
)
def test_a_photograph_that_another_person_has_is_enrolled_elsewhere(
    subject_id: str | None, name: str
) -> None:
    elsewhere = {"effect": "enrolled_elsewhere", "enrolled_as": name}
    assert effect(known(subject_id)) == elsewhere
    assert effect(known(subject_id) | {"reason": "enrolled_as_other"}) == elsewhere


def test_without_people_a_known_photograph_is_already_enrolled() -> None:
    nameless = Plan(Source("photos"), "enrol", "staff")

    assert effect(known("s-bob"), plan=nameless) == {"effect": "already_enrolled"}


def test_a_failed_image_and_another_operation_have_no_effect() -> None:
    assert effect(state="failed") == {}
    assert effect(plan=Plan(Source("photos"), "detect")) == {}


def test_a_person_is_looked_up_once() -> None:
    asked: list[str] = []

    def name_of(_collection_id: str, subject_id: str) -> str | None:
        asked.append(subject_id)
        return "ada"

    effects = Effects(ENROLMENT, name_of)
    for _ in range(2):
        effects.of("ada/1.jpg", {"state": "succeeded", "faces": [known("s-ada")]})

    assert asked == ["s-ada"]
