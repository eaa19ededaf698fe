from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from scripts.importing.ledger import Ledger
from scripts.importing.listing import Listing
from scripts.importing.plan import Plan
from scripts.importing.source import Source
from scripts.importing.summary import Summary, summarise
from tests.factories.listings import listed


def summary(results: Path, plan: Plan, outcomes: dict[str, str], *more: str) -> Summary:
    with Ledger(results, plan) as ledger:
        ledger.outcomes.update(outcomes)
        return summarise(Listing(listed("a/1", "b/1", "c/1", *more)), plan, ledger)


DONE = dict.fromkeys(("a/1", "b/1", "c/1"), "succeeded")


def test_all_succeeded_is_exit_code_0(results: Path, plan: Plan) -> None:
    done = summary(results, plan, DONE)

    assert done.exit_code == 0
    assert done.lines() == ["3 of 3 images succeeded"]


def test_failures_are_named_by_code_and_are_exit_code_1(results: Path, plan: Plan) -> None:
    done = summary(results, plan, {**DONE, "a/1": "no_face", "b/1": "no_face"})

    assert done.exit_code == 1
    assert done.lines() == ["1 of 3 images succeeded", "  2 failed: no_face: a/1, b/1"]


def test_of_many_failures_the_first_are_named() -> None:
    failed = Summary(0, {"no_face": ["a", "b\nc", "d", "e", "f"]}, 0, [])

    assert failed.lines()[1] == r"  5 failed: no_face: a, b\nc, d and 2 more"


def test_images_without_an_answer_ask_for_another_run(results: Path, plan: Plan) -> None:
    done = summary(results, plan, {**DONE, "c/1": ""})

    assert done.exit_code == 1
    assert "1 without an answer; run the same command again" in done.lines()[1]


def test_images_that_nobody_is_named_for_are_told_of(results: Path) -> None:
    plan = Plan(Source("photos"), "enrol", "staff", subject_from_folder=True)
    done = summary(results, plan, DONE, "group.jpg")

    assert done.exit_code == 1
    assert done.lines()[0] == "3 of 4 images succeeded"
    assert "1 left out" in done.lines()[1]
    assert "group.jpg" in done.lines()[1]


def test_images_passed_over_count_among_the_images_and_are_exit_code_1() -> None:
    done = Summary(1, {}, 0, [], Counter({".heic": 2, "without a suffix": 1}))

    assert done.exit_code == 1
    assert done.lines()[0] == "1 of 4 images succeeded"
    assert "3 passed over: 2 .heic, 1 without a suffix; --all" in done.lines()[1]


def test_other_objects_are_told_of_and_are_no_failure() -> None:
    done = Summary(1, {}, 0, [], others=Counter({"folder marker": 2, ".txt": 1}))

    assert done.exit_code == 0
    assert done.lines()[1] == "3 other objects passed over: 2 folder marker, 1 .txt"


@pytest.mark.parametrize(
    ("failed", "exit_code"),
    [
        ({"storage_unavailable": ["a"]}, 3),
        ({"storage_unavailable": ["a"], "no_face": ["b"]}, 1),
    ],
)
def test_an_outage_that_failed_all_the_others_is_exit_code_3(
    failed: dict[str, list[str]], exit_code: int
) -> None:
    assert Summary(0, failed, 0, []).exit_code == exit_code


def test_an_enrolment_that_changed_nothing_is_no_success() -> None:
    done = Summary(1, {"enrolled_elsewhere": ["a"]}, 0, [])

    assert done.exit_code == 1
    assert "1 changed nothing: enrolled under another person before" in done.lines()[1]


def test_what_was_moved_and_replaced_is_told_and_is_no_failure(results: Path, plan: Plan) -> None:
    bob = {"subject": "bob", "left_without_faces": False}
    moved = {"faces": [{"reason": "moved", "moved_from": bob}]}
    last = {"faces": [{"reason": "moved", "moved_from": {**bob, "left_without_faces": True}}]}
    with Ledger(results, plan) as ledger:
        for line in (moved, last, {"replaced": ["f"]}):
            ledger.changes.note(line)
        ledger.outcomes.update(DONE)
        done = summarise(Listing(listed("a/1", "b/1", "c/1")), plan, ledger)

    assert done.exit_code == 0
    assert done.lines()[1:] == [
        "  2 moved from bob, who has no photograph left",
        "  1 replaced what their object showed before",
    ]


def test_what_is_enrolled_and_no_longer_there_is_named(results: Path, plan: Plan) -> None:
    with Ledger(results, plan) as ledger:
        ledger.holdings.note("gone/1", {"faces": [{"enrolled": True, "face_id": "f"}]})
        ledger.outcomes.update(DONE)
        done = summarise(Listing(listed("a/1", "b/1", "c/1")), plan, ledger)

    assert done.exit_code == 0
    assert "1 enrolled before are no longer there: gone/1" in done.lines()[1]
