from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scripts.importing.failures import UsageFault
from scripts.importing.source import Source
from scripts.importing.steps import Request, default_results, make_plan, parse_option

STAFF = Source("photos", "staff/2024/")


def request(operation: str, **changes: Any) -> Request:
    typed: dict[str, Any] = {
        "address": str(STAFF),
        "operation": operation,
        "collection": None if operation == "detect" else "staff",
        "create_collection": False,
        "subject_from": None,
        "options": (),
        "chunk": 1000,
        "max_jobs": 4,
        "suffixes": (),
        "take_all": False,
        "prefix_as_is": False,
        "on_conflict": None,
        "on_changed": None,
        "results": None,
        "retry_failed": False,
        "webhooks": False,
        "api_url": "http://127.0.0.1:1",
        "api_key": "key",
    }
    return Request(**{**typed, **changes})


@pytest.mark.parametrize(
    ("operation", "from_folder"),
    [("detect", False), ("enrol", True), ("identify", False), ("verify", True)],
)
def test_folders_name_people_where_the_operation_needs_a_person(
    operation: str, from_folder: bool
) -> None:
    assert make_plan(request(operation), STAFF).subject_from_folder is from_folder


def test_enrolment_without_people_takes_all_faces() -> None:
    plan = make_plan(request("enrol", subject_from="none"), STAFF)

    assert plan.options["enrol_faces"] == "all"


def test_an_enrolment_makes_the_collection_what_the_folders_show() -> None:
    plan = make_plan(request("enrol"), STAFF)

    assert plan.options == {"on_conflict": "move", "on_changed": "replace"}


def test_what_the_collection_had_stays_where_that_is_asked_for() -> None:
    asked = request("enrol", on_conflict="keep", options=("on_changed=add",))

    assert make_plan(asked, STAFF).options == {"on_conflict": "keep", "on_changed": "add"}


@pytest.mark.parametrize("option", [{"on_conflict": "keep"}, {"on_changed": "add"}])
def test_what_happens_to_enrolled_faces_is_a_matter_of_enrolments(option: dict[str, str]) -> None:
    with pytest.raises(UsageFault, match="are for --operation enrol"):
        make_plan(request("detect", **option), STAFF)


def test_a_person_for_an_operation_that_takes_none_is_a_usage_fault() -> None:
    with pytest.raises(UsageFault, match="means nothing for identify"):
        make_plan(request("identify", subject_from="folder"), STAFF)


@pytest.mark.parametrize("operation", ["enrol", "identify", "verify"])
def test_a_gallery_operation_without_a_collection_is_a_usage_fault(operation: str) -> None:
    with pytest.raises(UsageFault, match=f"{operation} needs --collection"):
        make_plan(request(operation, collection=None), STAFF)


def test_a_collection_for_an_operation_that_uses_none_is_a_usage_fault() -> None:
    with pytest.raises(UsageFault, match="detect uses no collection"):
        make_plan(request("detect", collection="staff"), STAFF)


def test_a_verification_without_a_person_is_a_usage_fault() -> None:
    with pytest.raises(UsageFault, match="verify compares"):
        make_plan(request("verify", subject_from="none"), STAFF)


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("max_faces=3", ("max_faces", 3)),
        ("min_quality=0.3", ("min_quality", 0.3)),
        ("liveness=true", ("liveness", True)),
        ("enrol_faces=largest", ("enrol_faces", "largest")),
    ],
)
def test_an_option_is_json_or_a_plain_word(text: str, option: tuple[str, Any]) -> None:
    assert parse_option(text) == option


def test_an_option_without_a_value_is_a_usage_fault() -> None:
    with pytest.raises(UsageFault, match="NAME=VALUE"):
        parse_option("max_faces")


def test_unnamed_results_are_called_after_the_import() -> None:
    assert default_results("enrol", STAFF) == Path("enrol-photos-staff-2024.jsonl")


@pytest.mark.parametrize("prefix", ["x" * 1024, "\u00e9" * 200, "a\nb"])
def test_unnamed_results_have_a_name_that_a_disk_takes(tmp_path: Path, prefix: str) -> None:
    named = default_results("enrol", Source("photos", prefix))

    (tmp_path / f"{named}.state").touch()
    assert str(named).isprintable()
    assert named != default_results("enrol", Source("photos", prefix + "/y"))
