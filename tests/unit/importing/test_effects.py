from __future__ import annotations

from typing import Any

import pytest

from scripts.importing.effects import effect_of
from scripts.importing.plan import Plan
from scripts.importing.source import Source

ENROLMENT = Plan(Source("photos"), "enrol", "staff", subject_from_folder=True)


def effect(*faces: dict[str, Any], plan: Plan = ENROLMENT, state: str = "succeeded") -> Any:
    return dict(effect_of(plan, {"state": state, "faces": list(faces)}))


@pytest.mark.parametrize(
    ("enrolled", "reason", "named"),
    [(True, None, "enrolled"), (True, "moved", "moved"), (False, "already_enrolled", None)],
)
def test_an_effect_is_what_the_service_says_of_the_face(
    enrolled: bool, reason: str | None, named: str | None
) -> None:
    assert effect({"enrolled": enrolled, "reason": reason}) == {"effect": named or reason}


@pytest.mark.parametrize(("subject", "name"), [("bob", "bob"), (None, "nobody")])
def test_a_photograph_that_another_person_keeps_is_enrolled_elsewhere(
    subject: str | None, name: str
) -> None:
    face = {"enrolled": False, "reason": "enrolled_as_other", "subject": subject}

    assert effect(face) == {"effect": "enrolled_elsewhere", "enrolled_as": name}


def test_a_failed_image_and_another_operation_have_no_effect() -> None:
    assert effect(state="failed") == {}
    assert effect(plan=Plan(Source("photos"), "detect")) == {}
