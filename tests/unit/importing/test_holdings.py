from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.importing.holdings import Holdings
from scripts.importing.ledger import Ledger
from scripts.importing.plan import Plan
from tests.factories.listings import listed


def enrolled(face_id: str, reason: str | None = None, *replaced: str) -> dict[str, Any]:
    known = reason == "already_enrolled"
    face = {"face_id": face_id, "enrolled": not known, "reason": reason}
    return {"faces": [face], "replaced": list(replaced)}


@pytest.fixture
def holdings() -> Holdings:
    return Holdings(lambda key: key.partition("/")[0])


@pytest.fixture
def enrolment(plan: Plan) -> Plan:
    options = {"on_conflict": "move"}
    return replace(plan, operation="enrol", subject_from_folder=True, options=options)


@pytest.mark.parametrize("first", ["ada/1", "bob/1"])
def test_a_photograph_in_two_folders_is_whose_it_was_moved_to(
    holdings: Holdings, first: str
) -> None:
    lines = {"ada/1": enrolled("f"), "bob/1": enrolled("f", "moved")}
    for key in sorted(lines, key=lambda key: key != first):
        holdings.note(key, lines[key])

    assert holdings.taker_of("ada/1") == "bob/1"
    assert holdings.taker_of("bob/1") is None


def test_a_photograph_twice_in_one_folder_is_taken_from_nobody(holdings: Holdings) -> None:
    holdings.note("ada/1", enrolled("f"))
    holdings.note("ada/2", enrolled("f", "already_enrolled"))

    assert holdings.taker_of("ada/1") is None


@pytest.mark.parametrize("first", ["ada/1", "ada/2"])
def test_a_renamed_photograph_is_erased_when_its_old_place_shows_another(
    holdings: Holdings, first: str
) -> None:
    lines = {
        "ada/1": enrolled("new", None, "f"),
        "ada/2": enrolled("f", "already_enrolled"),
    }
    for key in sorted(lines, key=lambda key: key != first):
        holdings.note(key, lines[key])

    assert holdings.is_erased("ada/2")
    assert not holdings.is_erased("ada/1")


def test_what_was_renamed_is_not_left_behind(holdings: Holdings) -> None:
    holdings.note("ada/1", enrolled("f"))
    holdings.note("ada/gone", enrolled("g"))
    holdings.note("ada/2", enrolled("f", "already_enrolled"))

    assert list(holdings.left_behind({"ada/2"})) == ["ada/gone"]


def test_the_image_that_lost_its_photograph_is_tried_again_once_the_other_is_gone(
    results: Path, enrolment: Plan
) -> None:
    ada, bob = listed("door/ada/1", "door/bob/1")
    with Ledger(results, enrolment) as ledger:
        chunk = ledger.plan_chunk([ada, bob])
        for image, reason in ((ada, None), (bob, "moved")):
            line = {"custom_id": image.key, "state": "succeeded", **enrolled("f", reason)}
            ledger.record(chunk, line)
        ledger.close_chunk(chunk)

    with Ledger(results, enrolment) as ledger:
        assert ledger.outcome_of(ada) == "in_two_folders"
        assert ledger.missing([ada, bob], again_if_failed=False) == []
        assert ledger.missing([ada], again_if_failed=False) == [ada]


def test_a_photograph_that_another_person_kept_is_moved_by_a_run_that_may(
    results: Path, enrolment: Plan
) -> None:
    (ada,) = listed("door/ada/1")
    keeping = replace(enrolment, options={"on_conflict": "keep"})
    with Ledger(results, keeping) as ledger:
        chunk = ledger.plan_chunk([ada])
        line = {"custom_id": ada.key, "state": "succeeded"}
        ledger.record(chunk, line, {"effect": "enrolled_elsewhere"})
        ledger.close_chunk(chunk)
        assert ledger.missing([ada], again_if_failed=False) == []

    with Ledger(results, enrolment) as ledger:
        assert ledger.missing([ada], again_if_failed=False) == [ada]
