from __future__ import annotations

import pytest

from app.domain.errors import IllegalTransition
from app.domain.states import (
    JOB_TRANSITIONS,
    SHARD_TRANSITIONS,
    TERMINAL_EVENT,
    TERMINAL_JOB_STATES,
    JobState,
    ShardMove,
    ShardState,
    advance,
    states_before,
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


def test_the_states_before_one_are_those_with_a_way_to_it() -> None:
    assert states_before(JobState.EXPIRED) == {
        JobState.PREPARING,
        JobState.QUEUED,
        JobState.PROCESSING,
    }
    assert states_before(JobState.CANCELED) == {JobState.CANCELLING}


def test_a_job_comes_back_to_preparing_from_nowhere() -> None:
    assert states_before(JobState.PREPARING) == set()


def test_a_job_ends_by_its_items_only_after_it_was_sealed() -> None:
    assert JobState.SUCCEEDED not in JOB_TRANSITIONS[JobState.PREPARING]


def test_every_move_of_a_shard_has_its_row_in_the_table() -> None:
    assert set(SHARD_TRANSITIONS) == set(ShardMove)


def test_no_move_begins_where_a_shard_has_ended() -> None:
    ended = {ShardState.DONE, ShardState.CANCELED}

    assert not any(way.before & ended for way in SHARD_TRANSITIONS.values())


def test_a_shard_is_taken_only_from_those_that_wait() -> None:
    into_a_lease = {
        move
        for move, way in SHARD_TRANSITIONS.items()
        if way.after is ShardState.LEASED and ShardState.LEASED not in way.before
    }

    assert into_a_lease == {ShardMove.TAKE}
    assert SHARD_TRANSITIONS[ShardMove.TAKE].before == {ShardState.PENDING}


@pytest.mark.parametrize("state", [ShardState.PENDING, ShardState.LEASED])
def test_a_shard_that_is_open_can_be_canceled(state: ShardState) -> None:
    assert any(
        state in way.before and way.after is ShardState.CANCELED
        for way in SHARD_TRANSITIONS.values()
    )


def test_only_a_shard_that_is_held_is_done() -> None:
    before = [way.before for way in SHARD_TRANSITIONS.values() if way.after is ShardState.DONE]

    assert before == [{ShardState.LEASED}]
