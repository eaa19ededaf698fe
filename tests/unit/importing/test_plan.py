from __future__ import annotations

import pytest

from app.domain.job_request import MAX_ID_LENGTH
from app.domain.states import Operation
from scripts.importing.plan import CUSTOM_ID_LIMIT, OPERATIONS, Plan, chunks, custom_id_of
from scripts.importing.source import Source
from tests.factories.listings import listed


def enrolment(prefix: str) -> Plan:
    return Plan(Source("photos", prefix), "enrol", "some-id", subject_from_folder=True)


def test_the_operations_are_those_of_the_service() -> None:
    assert set(OPERATIONS) == {operation.value for operation in Operation}


def test_the_limit_of_a_custom_id_is_that_of_the_service() -> None:
    assert CUSTOM_ID_LIMIT == MAX_ID_LENGTH


def test_the_first_folder_below_the_prefix_is_the_person() -> None:
    assert enrolment("staff/").subject_of("staff/ada/2024/may.jpg") == "ada"


@pytest.mark.parametrize(("prefix", "person"), [("staff/a", "ada"), ("st", "staff")])
def test_below_a_prefix_as_it_is_the_folder_behind_its_last_slash_is_the_person(
    prefix: str, person: str
) -> None:
    assert enrolment(prefix).subject_of("staff/ada/2024/may.jpg") == person


def test_a_doubled_slash_is_no_person_without_a_name() -> None:
    assert enrolment("staff/").subject_of("staff//ada/may.jpg") == "ada"


def test_a_name_as_a_mac_writes_it_is_the_same_person() -> None:
    plan = enrolment("staff/")

    assert plan.subject_of("staff/Jose\u0301/1.jpg") == plan.subject_of("staff/Jos\u00e9/1.jpg")
    assert plan.subject_of("staff/Jose\u0301/1.jpg") == "Jos\u00e9"


def test_a_name_as_a_mac_writes_it_leaves_the_key_as_it_is() -> None:
    key = "staff/Jose\u0301/1.jpg"
    (item,) = enrolment("staff/").job_body([key], {})["items"]

    assert (item["custom_id"], item["image"]) == (key, f"s3://photos/{key}")


def test_with_the_whole_bucket_the_first_folder_is_the_person() -> None:
    assert enrolment("").subject_of("ada/may.jpg") == "ada"


def test_a_picture_right_under_the_prefix_names_nobody() -> None:
    plan = enrolment("staff/")

    assert plan.names_nobody("staff/group.jpg")
    assert not plan.names_nobody("staff/ada/1.jpg")


def test_without_folders_no_picture_is_left_out_for_want_of_a_person() -> None:
    assert not Plan(Source("photos"), "detect").names_nobody("a.jpg")


def test_an_item_has_its_key_its_address_and_its_person() -> None:
    body = enrolment("staff/").job_body(["staff/ada/1.jpg"], {})

    assert body["items"] == [
        {
            "custom_id": "staff/ada/1.jpg",
            "image": "s3://photos/staff/ada/1.jpg",
            "subject": "ada",
        }
    ]


def test_a_detect_job_names_no_collection_and_no_person() -> None:
    body = Plan(Source("photos"), "detect", options={"max_faces": 3}).job_body(
        ["a/1.jpg"], {"n": 1}
    )

    assert body == {
        "operation": "detect",
        "items": [{"custom_id": "a/1.jpg", "image": "s3://photos/a/1.jpg"}],
        "options": {"max_faces": 3},
        "metadata": {"n": 1},
        "webhook_endpoint_id": None,
    }


def test_webhooks_hear_of_the_jobs_only_when_asked_for() -> None:
    told = Plan(Source("photos"), "detect", tell_webhooks=True)

    assert "webhook_endpoint_id" not in told.job_body(["a.jpg"], {})


def test_a_long_key_gets_a_custom_id_of_its_own_within_the_limit() -> None:
    first, second = (custom_id_of(letter + "x" * 1000) for letter in "ab")

    assert len(first) == CUSTOM_ID_LIMIT
    assert first != second


def test_a_short_key_is_its_own_custom_id() -> None:
    assert custom_id_of("a" * CUSTOM_ID_LIMIT) == "a" * CUSTOM_ID_LIMIT


def test_chunks_keep_the_order_and_the_last_one_is_shorter() -> None:
    assert chunks(listed("a", "b", "c"), 2) == [listed("a", "b"), listed("c")]


def test_nothing_to_do_is_no_chunk() -> None:
    assert chunks([], 2) == []
