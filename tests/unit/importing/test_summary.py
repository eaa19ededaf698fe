from __future__ import annotations

from pathlib import Path

from scripts.importing.ledger import Ledger
from scripts.importing.plan import Plan
from scripts.importing.summary import Summary, summarise


def summary(results: Path, plan: Plan, outcomes: dict[str, str], nameless: list[str]) -> Summary:
    with Ledger(results, plan) as ledger:
        ledger.outcomes.update(outcomes)
        return summarise(["a", "b", "c"], nameless, ledger)


def test_all_succeeded_is_exit_code_0(results: Path, plan: Plan) -> None:
    done = summary(results, plan, dict.fromkeys("abc", "succeeded"), [])

    assert done.exit_code == 0
    assert done.lines() == ["3 of 3 images succeeded"]


def test_failures_are_counted_by_code_and_are_exit_code_1(results: Path, plan: Plan) -> None:
    done = summary(results, plan, {"a": "no_face", "b": "no_face", "c": "succeeded"}, [])

    assert done.exit_code == 1
    assert done.lines() == ["1 of 3 images succeeded", "  2 failed: no_face"]


def test_images_without_an_answer_ask_for_another_run(results: Path, plan: Plan) -> None:
    done = summary(results, plan, {"a": "succeeded", "b": "succeeded"}, [])

    assert done.exit_code == 1
    assert "1 without an answer; run the same command again" in done.lines()[1]


def test_images_that_nobody_is_named_for_are_told_of(results: Path, plan: Plan) -> None:
    done = summary(results, plan, dict.fromkeys("abc", "succeeded"), ["group.jpg"])

    assert done.exit_code == 1
    assert "1 left out" in done.lines()[1]
    assert "group.jpg" in done.lines()[1]
