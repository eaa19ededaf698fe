from __future__ import annotations

import pytest

from app.domain.errors import IllegalTransition
from app.domain.states import (
    JOB_TRANSITIONS,
    TERMINAL_EVENT,
    TERMINAL_JOB_STATES,
    JobState,
    advance,
)


def test_every_state_has_its_row_in_the_table() -> None:
    assert set(JOB_TRANSITIONS) == set(JobState)


def test_a_terminal_state_has_no_way_out() -> None:
    assert all(not JOB_TRANSITIONS[state] for state in TERMINAL_JOB_STATES)


def test_every_living_state_has_a_way_to_an_end() -> None:
    for state in set(JobState) - TERMINAL_JOB_STATES:
        reached, seen = {state}, set[JobState]()
        while reached - seen:
            current = (reached - seen).pop()
            seen.add(current)
            reached |= JOB_TRANSITIONS[current]
        assert reached & TERMINAL_JOB_STATES


def test_an_illegal_move_is_an_error() -> None:
    with pytest.raises(IllegalTransition, match="succeeded job cannot become processing"):
        advance(JobState.SUCCEEDED, JobState.PROCESSING)


def test_a_legal_move_gives_the_new_state() -> None:
    assert advance(JobState.QUEUED, JobState.PROCESSING) is JobState.PROCESSING


def test_every_end_has_its_event() -> None:
    assert set(TERMINAL_EVENT) == TERMINAL_JOB_STATES
