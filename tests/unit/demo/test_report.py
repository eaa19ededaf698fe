from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scripts.demo.photos import Photo, Plan
from scripts.demo.report import _row, print_outcome
from scripts.demo.run import Outcome
from scripts.stack.state import State

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


def printed(folder: Path, outcome: Outcome) -> str:
    console = Console(file=StringIO(), width=100)
    print_outcome(console, State(folder), outcome)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def outcome_of(name: str, person: str) -> Outcome:
    photo = Photo(name, person, bytes)
    found = {**item(("match", person, 0.7)), "custom_id": name}
    return Outcome(Plan("test", (photo,), (photo,), ""), "a rule", [], [found])


@pytest.mark.parametrize("name", ["Ada [x]", "[/b] Ada", "[red]"])
def test_names_in_brackets_are_shown_as_they_are(name: str, tmp_path: Path) -> None:
    shown = printed(tmp_path, outcome_of(f"{name}/1.jpg", name))

    assert f"{name}/1" in shown
    assert shown.count(name) == 3


def test_a_webhook_that_did_not_come_is_told(tmp_path: Path) -> None:
    outcome = outcome_of("a.jpg", "Ada")

    assert "No webhook" in printed(tmp_path, outcome)
    outcome.event = {"type": "job.succeeded"}
    assert "Webhook job.succeeded received" in printed(tmp_path, outcome)
