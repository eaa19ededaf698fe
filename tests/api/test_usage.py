"""GET /usage: a tenant reads what it has had done."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from app.domain.names import Scope
from app.services.upkeep.roll_up_usage import roll_up_usage
from tests.factories.callers import Caller
from tests.factories.usage import add_note

IN_MARCH = "/usage?from=2026-03-01&to=2026-03-31"
NOTHING = {"images": 0, "faces": 0, "inference_seconds": 0, "webhooks": 0}


@pytest.fixture
def counted(api: Caller) -> Caller:
    """A tenant with usage around a change of month."""
    for noted_at, used in (
        ("2026-02-28T23:59:59Z", {"images": 1}),
        ("2026-03-01T00:00:00Z", {"images": 2, "faces": 3, "inference_ms": 1250}),
        ("2026-03-02T12:00:00Z", {"images": 4, "outcome": "failed"}),
        ("2026-03-02T12:00:00Z", {"images": 8, "operation": "enrol"}),
        ("2026-03-31T23:59:59Z", {"images": 0, "webhooks": 16, "operation": "webhook"}),
        ("2026-04-01T00:00:00Z", {"images": 32}),
    ):
        add_note(api.tenant_id, noted_at, **used)
    roll_up_usage()
    return api


def amounts(row: dict[str, Any]) -> tuple[Any, ...]:
    """What tells a row apart, and its images and webhooks."""
    groups = ("day", "month", "operation", "outcome")
    told = [row[group] for group in groups if row[group] is not None]
    return (*told, row["images"] + row["webhooks"])


def test_days_are_counted_from_the_first_to_the_last(counted: Caller) -> None:
    answer = counted.get(IN_MARCH).get_json()

    assert answer["data"][0] == {
        "day": "2026-03-01",
        "month": None,
        "operation": None,
        "outcome": None,
        "images": 2,
        "faces": 3,
        "inference_seconds": 1.25,
        "webhooks": 0,
    }
    assert [amounts(row) for row in answer["data"]] == [
        ("2026-03-01", 2),
        ("2026-03-02", 12),
        ("2026-03-31", 16),
    ]
    assert (answer["from"], answer["to"]) == ("2026-03-01", "2026-03-31")


@pytest.mark.parametrize(
    ("groups", "rows"),
    [
        ("month", [("2026-02-01", 1), ("2026-03-01", 30), ("2026-04-01", 32)]),
        ("operation", [("detect", 39), ("enrol", 8), ("webhook", 16)]),
        ("outcome", [("succeeded", 59), ("failed", 4)]),
        (
            "month&group_by=outcome",
            [
                ("2026-02-01", "succeeded", 1),
                ("2026-03-01", "succeeded", 26),
                ("2026-03-01", "failed", 4),
                ("2026-04-01", "succeeded", 32),
            ],
        ),
    ],
)
def test_usage_is_told_apart_by_what_is_asked(
    counted: Caller, groups: str, rows: list[tuple[Any, ...]]
) -> None:
    answer = counted.get(f"/usage?from=2026-02-01&to=2026-04-30&group_by={groups}").get_json()

    assert [amounts(row) for row in answer["data"]] == rows


def test_pages_show_each_group_once(counted: Caller) -> None:
    groups = "&group_by=day&group_by=operation&group_by=outcome"
    whole = counted.get(f"{IN_MARCH}{groups}").get_json()["data"]
    path: str | None = f"{IN_MARCH}{groups}&limit=1"
    seen = []
    while path:
        response = counted.get(path)
        seen += response.get_json()["data"]
        # A day that was shown already takes what comes late; the pages go on behind it.
        add_note(counted.tenant_id, "2026-03-01T12:00:00Z")
        roll_up_usage()
        link = response.headers.get("Link")
        path = link and link.removeprefix("</api/v1").partition(">")[0]

    assert seen == whole
    assert len(seen) == 4


def test_what_is_not_counted_yet_is_told(api: Caller) -> None:
    assert api.get("/usage").get_json()["waiting_since"] is None

    add_note(api.tenant_id, "2026-03-01T12:00:00Z")
    assert api.get("/usage").get_json()["waiting_since"] == "2026-03-01T12:00:00Z"


def test_the_last_thirty_days_are_meant_when_none_are_named(api: Caller) -> None:
    answer = api.get("/usage").get_json()

    first, last = (dt.date.fromisoformat(answer[end]) for end in ("from", "to"))
    assert (last - first).days == 29
    assert abs(last - dt.datetime.now(dt.UTC).date()) <= dt.timedelta(days=1)  # around midnight


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("from=2026-03-02&to=2026-03-01", "/to"),
        ("from=2020-01-01&to=2026-03-01", "/from"),
        ("from=yesterday", "/from"),
        ("to=2026-02-30", "/to"),
        ("group_by=hour", "/group_by/0"),
        ("group_by=day&group_by=month", "/group_by"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(api: Caller, query: str, pointer: str) -> None:
    response = api.get(f"/usage?{query}")

    assert response.status_code == 422
    assert [error["pointer"] for error in response.get_json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    "query", ["to=0001-01-01", "from=9999-12-31", "from=2026-03-01&to=2028-02-29"]
)
def test_the_ends_of_the_calendar_and_of_what_may_be_asked_are_days_too(
    api: Caller, query: str
) -> None:
    assert api.get(f"/usage?{query}").status_code == 200


def test_usage_of_another_tenant_is_not_seen(counted: Caller, stranger: Caller) -> None:
    del counted

    assert stranger.get(IN_MARCH).get_json()["data"] == []


def test_it_needs_a_scope_of_its_own(api: Caller) -> None:
    assert api.with_scopes(Scope.USAGE_READ).get("/usage").status_code == 200
    assert api.with_scopes(Scope.JOBS_READ).get("/usage").status_code == 403
