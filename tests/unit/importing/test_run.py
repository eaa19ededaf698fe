from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.importing.failures import Refused, Unreachable

KEYS = ["a", "b", "c", "d", "e"]


def images(results: Path) -> list[str]:
    return [json.loads(text)["custom_id"] for text in results.read_text().splitlines()]


def test_every_image_has_one_result(start: Any, results: Path) -> None:
    start(KEYS)

    assert sorted(images(results)) == KEYS


def test_no_more_jobs_are_in_flight_than_allowed(start: Any, api: Any) -> None:
    start(KEYS, max_jobs=2)

    assert api.most_in_flight == 2


def test_a_job_is_not_looked_at_before_the_api_says_so(start: Any, clock: Any) -> None:
    start(["a"])

    assert clock.naps == [3.0, 3.0]


def test_a_second_run_submits_nothing_that_is_done(start: Any, api: Any) -> None:
    start(KEYS[:2])
    start(KEYS)

    assert api.submitted_keys() == KEYS


def test_failed_images_are_submitted_again_when_asked_for(
    start: Any, api: Any, results: Path
) -> None:
    api.failing = {"b": "no_face"}
    start(["a", "b"])
    api.failing = {}
    start(["a", "b"], again_if_failed=True)

    assert images(results) == ["a", "b", "b"]


def test_an_interrupted_run_is_gone_on_with_in_the_same_jobs(
    start: Any, start_and_interrupt: Any, api: Any, results: Path
) -> None:
    start_and_interrupt(KEYS)
    start(KEYS)

    assert api.submitted_keys() == KEYS
    assert sorted(images(results)) == KEYS


def test_a_run_killed_between_submit_and_note_gets_the_same_job(
    start: Any, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_submit = api.submit

    def submit_and_die(*arguments: Any) -> None:
        real_submit(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(api, "submit", submit_and_die)
        with pytest.raises(KeyboardInterrupt):
            start(["a"])
    start(["a"])

    assert len(api.jobs) == 1


def test_a_chunk_whose_submit_was_cut_off_is_submitted_under_a_new_key(
    start: Any, api: Any, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(api, "submit", die)
        with pytest.raises(KeyboardInterrupt):
            start(["a", "b"])
    api.refusal = Refused(422, {"code": "idempotency_key_reused"})
    api.refusals = 1
    start(["a", "b"])

    assert images(results) == ["a", "b"]


def test_a_new_chunk_whose_key_is_taken_is_refused(start: Any, api: Any) -> None:
    api.refusal = Refused(422, {"code": "idempotency_key_reused"})

    with pytest.raises(Refused):
        start(["a"])


def test_a_broken_result_stream_is_read_again(start: Any, api: Any, results: Path) -> None:
    api.broken_streams = 2
    start(["a", "b"])

    assert images(results) == ["a", "b"]


def test_a_result_stream_that_always_breaks_stops_the_run(start: Any, api: Any) -> None:
    api.broken_streams = 3

    with pytest.raises(Unreachable):
        start(["a", "b"])


def test_images_of_a_job_that_was_canceled_are_submitted_by_the_next_run(
    start: Any, api: Any, progress: Any, results: Path
) -> None:
    api.end_state = "canceled"
    start(["a", "b"])
    assert "canceled before all its images" in progress.notes[0]

    api.end_state = "succeeded"
    start(["a", "b"])
    assert images(results) == ["a", "b"]


def test_a_refused_chunk_is_submitted_under_a_new_key_later(
    start: Any, api: Any, results: Path
) -> None:
    api.refusal = Refused(422, {"code": "bucket_forbidden"})
    with pytest.raises(Refused):
        start(["a"])
    api.refusal = None
    start(["a"])

    assert images(results) == ["a"]
    assert next(iter(api.jobs)).endswith("-2")


def test_images_of_a_job_that_is_gone_are_left_for_the_next_run(
    start: Any, start_and_interrupt: Any, api: Any, progress: Any, results: Path
) -> None:
    start_and_interrupt(["a"])
    api.jobs.clear()
    start(["a"])
    assert "is gone" in progress.notes[0]

    start(["a"])
    assert images(results) == ["a"]


def test_progress_falls_from_all_images_to_none(start: Any, progress: Any) -> None:
    start(KEYS)

    assert progress.remaining[0] == 5
    assert progress.remaining[-1] == 0
    assert progress.remaining == sorted(progress.remaining, reverse=True)


def test_images_that_a_running_job_has_answered_count_as_progress(
    start: Any, progress: Any
) -> None:
    start(["a", "b"])

    assert progress.remaining == [2, 1, 0]
