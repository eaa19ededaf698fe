from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.importing.failures import CannotWrite, Refused, Silent, Unreachable
from scripts.importing.ledger import Ledger
from scripts.importing.plan import Plan
from tests.factories.listings import listed

KEYS = ["a", "b", "c", "d", "e"]


def lines(results: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in results.read_text().splitlines()]


def images(results: Path) -> list[str]:
    return [line["custom_id"] for line in lines(results)]


def states(results: Path) -> dict[str, str]:
    return {line["custom_id"]: line["state"] for line in lines(results)}


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


def test_an_image_that_is_not_taken_has_a_result_and_the_others_go_on(
    start: Any, api: Any, results: Path, progress: Any
) -> None:
    api.not_taken = {"b"}
    start(KEYS)

    assert states(results) == {**dict.fromkeys(KEYS, "succeeded"), "b": "failed"}
    (refused,) = [line for line in lines(results) if line["state"] == "failed"]
    assert refused["error"] == {"code": "bucket_forbidden", "message": "image: is not taken"}
    assert (refused["image"], refused["job_id"]) == ("s3://photos/b", None)
    assert progress.notes == ["not taken: b: bucket_forbidden: image: is not taken"]


def test_an_image_that_is_not_taken_is_not_submitted_again_unless_asked_for(
    start: Any, api: Any, results: Path
) -> None:
    api.not_taken = {"b"}
    start(["a", "b"])
    submits = api.submits
    start(["a", "b"])
    assert api.submits == submits

    api.not_taken = set()
    start(["a", "b"], again_if_failed=True)
    assert images(results) == ["b", "a", "b"]


def test_more_images_than_one_refusal_names_are_set_aside_too(
    start: Any, api: Any, results: Path
) -> None:
    keys = [f"{number:03}" for number in range(100)]
    api.not_taken = set(keys[:50])
    start(keys, chunk=100)

    assert sorted(states(results).values()) == ["failed"] * 50 + ["succeeded"] * 50


def test_an_import_of_which_nothing_is_taken_is_refused_with_its_keys_and_leaves_no_results(
    start: Any, api: Any, results: Path
) -> None:
    api.not_taken = {"a", "b", "c"}

    with pytest.raises(
        Refused, match=r"bucket_forbidden.*none of 3 images.*a: image: is not taken"
    ):
        start(["a", "b", "c"])
    assert images(results) == []


def test_a_large_import_of_which_nothing_is_taken_is_given_up_early(start: Any, api: Any) -> None:
    keys = [f"{number:05}" for number in range(5000)]
    api.not_taken = set(keys)

    with pytest.raises(Refused, match="none of 1000 images"):
        start(keys, chunk=1000)


def test_where_images_were_taken_before_one_that_is_not_is_only_that_ones_fault(
    start: Any, api: Any, results: Path
) -> None:
    start(["a"])
    api.not_taken = {"b"}
    start(["a", "b"])

    assert states(results) == {"a": "succeeded", "b": "failed"}


def test_a_refusal_that_is_not_about_images_alone_ends_the_import(start: Any, api: Any) -> None:
    errors = [{"pointer": "/items/0/image"}, {"pointer": "/options/max_faces"}]
    api.refusal = Refused(422, {"code": "validation_failed", "errors": errors})

    with pytest.raises(Refused, match="/options/max_faces"):
        start(["a"])
    assert api.submits == 1


def test_a_chunk_of_an_earlier_run_goes_on_without_an_image_that_is_not_taken(
    start: Any, api: Any, results: Path, plan: Plan
) -> None:
    with Ledger(results, plan) as ledger:
        ledger.plan_chunk(ledger.missing(listed("a", "b"), again_if_failed=False))
    api.not_taken = {"a"}
    start(["a", "b"])

    assert states(results) == {"a": "failed", "b": "succeeded"}


@pytest.mark.parametrize(
    "fault", [Refused(403, {"code": "forbidden"}), Unreachable("the database does not answer")]
)
def test_jobs_under_way_are_collected_before_the_import_is_given_up(
    start: Any, api: Any, results: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    real_submit = api.submit

    def submit(*arguments: Any) -> Any:
        if api.jobs:
            raise fault
        return real_submit(*arguments)

    monkeypatch.setattr(api, "submit", submit)
    with pytest.raises(type(fault)):
        start(KEYS)

    assert images(results) == ["a", "b"]


def test_a_job_that_cannot_be_looked_at_keeps_no_other_from_being_collected(
    start: Any, api: Any, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_job = api.job

    def job(job_id: str) -> Any:
        if job_id.endswith("-1"):
            raise Unreachable("internal_error")
        return real_job(job_id)

    monkeypatch.setattr(api, "job", job)
    with pytest.raises(Unreachable):
        start(["a", "b", "c", "d"])

    assert images(results) == ["c", "d"]


@pytest.mark.parametrize("fault", [Silent("does not answer"), CannotWrite("disk full")])
def test_what_keeps_jobs_from_being_collected_ends_the_import_at_once(
    start: Any, api: Any, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def job(job_id: str) -> Any:
        api.looks.append(job_id)
        raise fault

    monkeypatch.setattr(api, "job", job)
    with pytest.raises(type(fault)):
        start(KEYS)

    assert len(api.looks) == 1


def test_a_job_that_goes_while_it_is_watched_leaves_its_images_for_the_next_run(
    start: Any, api: Any, results: Path, progress: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_job_id: str) -> Any:
        raise Refused(404, {"code": "not_found"})

    with monkeypatch.context() as patch:
        patch.setattr(api, "job", gone)
        start(["a"])
    assert "is gone" in progress.notes[0]

    start(["a"])
    assert images(results) == ["a"]


def test_an_object_that_was_written_anew_is_submitted_again(start: Any, results: Path) -> None:
    start(["a", "b"])
    start(["a", "b"], version="v2")
    start(["a", "b"], version="v2")

    assert images(results) == ["a", "b", "a", "b"]


def test_an_image_that_failed_in_an_outage_is_submitted_again_unasked(
    start: Any, api: Any, results: Path
) -> None:
    api.failing = {"a": "storage_unavailable", "b": "no_face"}
    start(["a", "b"])
    api.failing = {}
    start(["a", "b"])

    assert images(results) == ["a", "b", "a"]


def test_a_photograph_enrolled_under_another_person_says_so_and_may_be_tried_again(
    start: Any, api: Any, results: Path, plan: Plan
) -> None:
    enrolment = replace(plan, operation="enrol", collection_id="staff", subject_from_folder=True)
    api.faces = {"door/ada/1": {"enrolled": False, "reason": "enrolled_as_other", "subject": "bob"}}
    start(["door/ada/1"], of=enrolment)
    start(["door/ada/1"], of=enrolment)
    (line,) = lines(results)
    assert (line["effect"], line["enrolled_as"]) == ("enrolled_elsewhere", "bob")

    api.faces = {"door/ada/1": {"enrolled": True, "subject_id": "s-ada"}}
    start(["door/ada/1"], of=enrolment, again_if_failed=True)
    assert lines(results)[1]["effect"] == "enrolled"
