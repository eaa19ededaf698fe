from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.importing.failures import UsageFault
from scripts.importing.ledger import Ledger
from scripts.importing.plan import Plan
from scripts.importing.storage import S3Object
from tests.factories.listings import listed


def line(custom_id: str, state: str = "succeeded", code: str | None = None) -> dict[str, Any]:
    return {"custom_id": custom_id, "state": state, "error": {"code": code} if code else None}


def written(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text().splitlines()]


def test_a_result_is_written_with_its_address_and_its_job(results: Path, plan: Plan) -> None:
    with Ledger(results, plan) as ledger:
        chunk = ledger.plan_chunk(listed("door/a.jpg"))
        ledger.submitted(chunk, "job-1")
        ledger.record(chunk, line("door/a.jpg"))

    assert written(results) == [
        {
            **line("door/a.jpg"),
            "image": "s3://photos/door/a.jpg",
            "image_version": "v1",
            "job_id": "job-1",
        }
    ]


def test_a_key_with_a_result_needs_no_job_in_the_next_run(results: Path, plan: Plan) -> None:
    with Ledger(results, plan) as ledger:
        chunk = ledger.plan_chunk(listed("a", "b"))
        ledger.record(chunk, line("a"))
        ledger.record(chunk, line("b", "failed", "no_face"))
        ledger.close_chunk(chunk)

    with Ledger(results, plan) as ledger:
        assert ledger.missing(listed("a", "b", "c"), again_if_failed=False) == listed("c")
        assert ledger.missing(listed("a", "b", "c"), again_if_failed=True) == listed("b", "c")


def test_a_chunk_planned_but_not_submitted_is_found_again_whole(results: Path, plan: Plan) -> None:
    with Ledger(results, plan) as ledger:
        key = ledger.idempotency_key(ledger.plan_chunk(listed("a", "b")))

    with Ledger(results, plan) as ledger:
        (chunk,) = ledger.open_chunks.values()
        assert list(chunk.images.values()) == [S3Object(key, version="v1") for key in ("a", "b")]
        assert chunk.job_id is None
        assert ledger.idempotency_key(chunk) == key
        assert ledger.missing(listed("a", "b"), again_if_failed=True) == []


def test_a_submitted_chunk_remembers_its_job(results: Path, plan: Plan) -> None:
    with Ledger(results, plan) as ledger:
        ledger.submitted(ledger.plan_chunk(listed("a")), "job-1")

    with Ledger(results, plan) as ledger:
        assert [chunk.job_id for chunk in ledger.open_chunks.values()] == ["job-1"]


def test_a_result_already_on_disk_is_not_written_twice(results: Path, plan: Plan) -> None:
    with Ledger(results, plan) as ledger:
        chunk = ledger.plan_chunk(listed("a", "b"))
        ledger.submitted(chunk, "job-1")
        ledger.record(chunk, line("a"))

    with Ledger(results, plan) as ledger:
        (chunk,) = ledger.open_chunks.values()
        ledger.record(chunk, line("a"))
        ledger.record(chunk, line("b"))

    assert [entry["custom_id"] for entry in written(results)] == ["a", "b"]


def test_an_item_that_came_to_no_end_is_not_a_result(results: Path, plan: Plan) -> None:
    with Ledger(results, plan) as ledger:
        chunk = ledger.plan_chunk(listed("a"))
        ledger.record(chunk, line("a", "canceled"))
        ledger.close_chunk(chunk)

        assert ledger.missing(listed("a"), again_if_failed=False) == listed("a")


def test_a_new_chunk_never_takes_an_old_number(results: Path, plan: Plan) -> None:
    with Ledger(results, plan) as ledger:
        first = ledger.plan_chunk(listed("a"))
        ledger.close_chunk(first)

    with Ledger(results, plan) as ledger:
        second = ledger.plan_chunk(listed("a"))
        assert ledger.idempotency_key(second) != ledger.idempotency_key(first)


def test_two_imports_of_the_same_keys_have_different_idempotency_keys(
    tmp_path: Path, plan: Plan
) -> None:
    with Ledger(tmp_path / "one", plan) as one, Ledger(tmp_path / "two", plan) as two:
        key = one.idempotency_key(one.plan_chunk(listed("a")))
        assert two.idempotency_key(two.plan_chunk(listed("a"))) != key


def test_a_line_cut_short_by_a_crash_is_dropped(results: Path, plan: Plan) -> None:
    with Ledger(results, plan) as ledger:
        chunk = ledger.plan_chunk(listed("a", "b"))
        ledger.submitted(chunk, "job-1")
        ledger.record(chunk, line("a"))
    whole = results.read_bytes()
    results.write_bytes(whole + b'{"custom_id": "b", "sta')

    with Ledger(results, plan) as ledger:
        (chunk,) = ledger.open_chunks.values()
        assert chunk.received == {"a"}

    assert results.read_bytes() == whole


def test_a_file_of_another_import_is_refused(results: Path, plan: Plan) -> None:
    with Ledger(results, plan) as ledger:
        ledger.plan_chunk(listed("a"))

    with pytest.raises(UsageFault, match="operation was detect, is identify"):
        Ledger(results, replace(plan, operation="identify"))


def test_an_import_that_came_to_nothing_leaves_its_file_to_a_corrected_one(
    results: Path, plan: Plan
) -> None:
    with Ledger(results, replace(plan, options={"max_faces": 0})) as ledger:
        refused = ledger.plan_chunk(listed("a"))
        refused_key = ledger.idempotency_key(refused)
        ledger.close_chunk(refused)

    with Ledger(results, plan) as ledger:
        assert ledger.idempotency_key(ledger.plan_chunk(listed("a"))) != refused_key
        import_id = ledger.import_id

    with Ledger(results, plan) as ledger:
        assert ledger.import_id == import_id


def test_two_runs_cannot_write_the_same_file(results: Path, plan: Plan) -> None:
    with Ledger(results, plan), pytest.raises(UsageFault, match="another run is writing"):
        Ledger(results, plan)


def test_a_place_that_cannot_be_written_is_a_usage_fault(tmp_path: Path, plan: Plan) -> None:
    with pytest.raises(UsageFault, match="cannot write"):
        Ledger(tmp_path / "no-such-folder" / "out.jsonl", plan)


def test_a_result_of_an_older_importer_holds_for_the_object_as_it_is(
    results: Path, plan: Plan
) -> None:
    with Ledger(results, plan) as ledger:
        ledger.record(ledger.plan_chunk(listed("a")), line("a"))
    old = written(results)[0]
    del old["image_version"]
    results.write_text(json.dumps(old) + "\n")

    with Ledger(results, plan) as ledger:
        assert ledger.missing(listed("a", version="v2"), again_if_failed=False) == []


def test_a_chunk_noted_by_an_older_importer_is_gone_on_with(results: Path, plan: Plan) -> None:
    with Ledger(results, plan) as ledger:
        ledger.plan_chunk(listed("a"))
    state = results.with_name(results.name + ".state")
    state.write_text(state.read_text().replace(', "versions": ["v1"]', ""))

    with Ledger(results, plan) as ledger:
        (chunk,) = ledger.open_chunks.values()
        assert chunk.images == {"a": S3Object("a")}


def test_the_version_that_was_submitted_is_the_one_noted_with_the_result(
    results: Path, plan: Plan
) -> None:
    with Ledger(results, plan) as ledger:
        ledger.submitted(ledger.plan_chunk(listed("a")), "job-1")

    with Ledger(results, plan) as ledger:
        (chunk,) = ledger.open_chunks.values()
        ledger.record(chunk, line("a"))
        assert ledger.has_changed(listed("a", version="v2")[0])
        assert not ledger.has_changed(listed("a")[0])


@pytest.mark.parametrize(
    "damaged", ['{"custom_id": "x', '"text"', '{"custom_id": "a"}', '{"image": "\udcff"}']
)
def test_a_damaged_line_is_named_with_what_to_do(results: Path, plan: Plan, damaged: str) -> None:
    with Ledger(results, plan) as ledger:
        chunk = ledger.plan_chunk(listed("a", "b", "c"))
        for key in ("a", "b", "c"):
            ledger.record(chunk, line(key))
        ledger.close_chunk(chunk)
    first, _, last = results.read_bytes().splitlines(keepends=True)
    results.write_bytes(first + damaged.encode(errors="surrogateescape") + b"\n" + last)

    with pytest.raises(UsageFault, match="jsonl, line 2, is damaged; remove that line"):
        Ledger(results, plan)

    results.write_bytes(first + b"\n" + last)
    with Ledger(results, plan) as ledger:
        assert ledger.missing(listed("a", "b", "c"), again_if_failed=False) == listed("b")


@pytest.mark.parametrize("lost", ["import", "planned", "submitted", "closed"])
def test_a_line_removed_from_the_state_loses_no_image_and_no_number(
    results: Path, plan: Plan, lost: str
) -> None:
    with Ledger(results, plan) as ledger:
        chunk = ledger.plan_chunk(listed("a"))
        ledger.submitted(chunk, "job-1")
        ledger.record(chunk, line("a"))
        ledger.close_chunk(chunk)
    state = results.with_name(results.name + ".state")
    kept = [text for text in state.read_text().splitlines() if f'{{"{lost}"' not in text]
    state.write_text("\n".join(kept) + "\n")

    with Ledger(results, plan) as ledger:
        assert ledger.missing(listed("a"), again_if_failed=False) == []
        assert ledger.plan_chunk(listed("b")).number == 2


def test_a_damaged_line_of_the_state_is_named(results: Path, plan: Plan) -> None:
    Ledger(results, plan).__exit__()
    state = results.with_name(results.name + ".state")
    state.write_text("{\n" + state.read_text())

    with pytest.raises(UsageFault, match="state, line 1, is damaged"):
        Ledger(results, plan)


def test_an_enrolment_under_another_person_is_at_once_no_success(results: Path, plan: Plan) -> None:
    with Ledger(results, plan) as ledger:
        ledger.record(ledger.plan_chunk(listed("a")), line("a"), {"effect": "enrolled_elsewhere"})

        assert ledger.outcome_of(listed("a")[0]) == "enrolled_elsewhere"
