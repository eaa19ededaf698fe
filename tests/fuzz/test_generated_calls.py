"""Whatever is sent to a documented call, the answer is as documented and never our failure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from scripts.bench.fuzz import Outcome, fuzz
from tests.support.processes import WORKERS, Processes
from tests.support.served_api import served_api

# `python -m scripts.bench.fuzz` makes ten thousand. The coverage phase alone makes what it makes.
CASES = 500

# One process, so that the calls are made once.
pytestmark = [pytest.mark.xdist_group("fuzz"), pytest.mark.slow]


@pytest.fixture(scope="module")
def outcome(programs: Processes) -> Iterator[Outcome]:
    """What came of the calls; nobody works at their jobs and calls the receivers they register."""
    for name in filter(programs.alive, WORKERS):
        programs.stop(name)
    unlimited = {**programs.environment, "ENABLE_API_RATE_LIMITING": "false"}
    with served_api(dataclasses.replace(programs, environment=unlimited)) as environment:
        account = environment["FACEQUEUE_URL"], environment["FACEQUEUE_API_KEY"]
        found = fuzz(*account, CASES)
        # A call that could not be made says nothing of the API: once more, then.
        yield found if not found.violations["Not tested"] else fuzz(*account, CASES)


def test_every_answer_is_as_documented(outcome: Outcome) -> None:
    assert not outcome.violations, outcome.told


def test_so_many_calls_were_made(outcome: Outcome) -> None:
    assert outcome.cases >= CASES
