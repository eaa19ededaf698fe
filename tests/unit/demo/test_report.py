from __future__ import annotations

from typing import Any

import pytest

from scripts.demo.report import _row

ENROLLED = frozenset({"Ada"})


def item(*faces: tuple[str, str, float]) -> dict[str, Any]:
    found = [
        {"decision": decision, "matches": [{"subject": name, "similarity": similarity}]}
        for decision, name, similarity in faces
    ]
    return {"custom_id": "a.jpg", "error": None, "faces": found}


@pytest.mark.parametrize(
    ("faces", "person", "verdict"),
    [
        ([("match", "Ada", 0.7)], "Ada", "right"),
        ([("match", "Bob", 0.5)], "Ada", "wrong"),
        ([("unknown", "Ada", 0.3)], "Ada", "missed"),
        ([], "Ada", "missed"),
        ([("unknown", "Ada", 0.1)], "Stranger", "right"),
        ([("match", "Ada", 0.4)], "Stranger", "wrong"),
        ([("match", "Ada", 0.4)], None, ""),
    ],
)
def test_a_row_says_what_came_of_what_was_expected(
    faces: list[tuple[str, str, float]], person: str | None, verdict: str
) -> None:
    assert _row(item(*faces), person, ENROLLED)[1] == verdict


def test_of_several_faces_the_most_similar_one_is_shown() -> None:
    row, _ = _row(item(("unknown", "Bob", 0.1), ("match", "Ada", 0.7)), "Ada", ENROLLED)

    assert row == ("a", "Ada", "Ada", "0.700", "match")


def test_an_image_in_error_shows_the_code() -> None:
    failed = {"custom_id": "a.jpg", "error": {"code": "no_face", "message": "No face"}}

    assert _row(failed, "Ada", ENROLLED) == (("a", "Ada", "", "", "no_face"), "missed")
