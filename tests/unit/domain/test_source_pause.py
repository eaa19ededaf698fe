from __future__ import annotations

from app.domain.source_pause import pause_seconds


def test_a_pause_doubles_from_one_second_to_five_minutes() -> None:
    pauses = [pause_seconds(failures) for failures in range(1, 12)]

    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_a_source_that_was_away_for_weeks_is_still_asked_every_five_minutes() -> None:
    assert pause_seconds(1_000_000) == 300
