"""Lists of jobs: which are shown, and from which end."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.database.transactions import owner_transaction
from app.domain.states import Operation
from tests.factories.callers import Caller
from tests.factories.galleries import make_collection
from tests.factories.jobs import close_item, make_job


def ids(api: Caller, query: Any = "") -> list[str]:
    response = api.get("/jobs", query_string=query)
    assert response.status_code == 200, response.get_json()
    return [job["id"] for job in response.get_json()["data"]]


def made(api: Caller, count: int = 1, **fields: Any) -> list[str]:
    return [str(make_job(api.tenant_id, **fields)) for _ in range(count)]


def ended(api: Caller) -> str:
    (job_id,) = made(api)
    close_item(UUID(job_id), 0)
    return job_id


def set_time(job_id: str, moment: dt.datetime) -> None:
    with owner_transaction() as session:
        values = {"id": job_id, "moment": moment}
        session.execute(text("UPDATE jobs SET created_at = :moment WHERE id = :id"), values)


def created(api: Caller, job_id: str) -> dt.datetime:
    return dt.datetime.fromisoformat(api.get(f"/jobs/{job_id}").get_json()["created_at"])


def test_jobs_are_read_from_either_end(api: Caller) -> None:
    jobs = made(api, 3)
    assert ids(api) == ids(api, "order=desc") == jobs[::-1]
    assert ids(api, "order=asc") == jobs


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_in_either_order_hold_every_job_once(api: Caller, order: str) -> None:
    jobs = made(api, 5)
    seen: list[str] = []
    url: str | None = f"/jobs?limit=2&order={order}"
    while url:
        page = api.get(url)
        seen += [job["id"] for job in page.get_json()["data"]]
        link = page.headers.get("Link", "")
        url = link[1 : link.index(">")].removeprefix("/api/v1") if link else None
    assert seen == (jobs if order == "asc" else jobs[::-1])


def test_a_job_that_comes_meanwhile_is_on_the_last_page_of_a_rising_list(api: Caller) -> None:
    first, second = made(api, 2)
    page = api.get("/jobs?order=asc&limit=1").get_json()
    (third,) = made(api)
    assert [job["id"] for job in page["data"]] == [first]
    query = {"order": "asc", "limit": 5, "cursor": page["next_cursor"]}
    assert ids(api, query) == [second, third]


@pytest.mark.parametrize("query", ["order=up", "order=", "order=ASC"])
def test_another_order_is_refused(api: Caller, query: str) -> None:
    response = api.get(f"/jobs?{query}")
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["pointer"] == "/order"


def test_a_cursor_is_of_its_order(api: Caller) -> None:
    made(api, 2)
    cursor = api.get("/jobs?order=asc&limit=1").get_json()["next_cursor"]
    assert api.get(f"/jobs?order=desc&cursor={cursor}").get_json()["code"] == "cursor_invalid"


def test_several_states_can_be_asked_for(api: Caller) -> None:
    done, (waiting,), (canceled,) = ended(api), made(api), made(api)
    api.post(f"/jobs/{canceled}/cancel")
    assert ids(api, "state=succeeded&state=queued") == [waiting, done]
    assert ids(api, "state=queued&state=succeeded&order=asc") == [done, waiting]
    assert ids(api, "state=canceled&state=canceled") == [canceled]
    assert ids(api, "state=failed&state=expired") == []


def test_pages_of_several_states_hold_every_job_once(api: Caller) -> None:
    jobs = [made(api)[0] if n % 2 else ended(api) for n in range(6)]
    made_canceled = made(api)[0]
    api.post(f"/jobs/{made_canceled}/cancel")
    seen: list[str] = []
    url: str | None = "/jobs?limit=2&state=queued&state=succeeded"
    while url:
        page = api.get(url)
        seen += [job["id"] for job in page.get_json()["data"]]
        link = page.headers.get("Link", "")
        url = link[1 : link.index(">")].removeprefix("/api/v1") if link else None
    assert seen == jobs[::-1]


def test_a_cursor_is_of_all_its_states(api: Caller) -> None:
    made(api, 2)
    page = api.get("/jobs?state=queued&state=failed&limit=1").get_json()
    query = {"state": ["queued", "expired"], "limit": 1, "cursor": page["next_cursor"]}
    response = api.get("/jobs", query_string=query)
    assert response.get_json()["code"] == "cursor_invalid"


def test_a_state_that_there_is_not_is_pointed_at(api: Caller) -> None:
    response = api.get("/jobs?state=queued&state=lost")
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["pointer"] == "/state/1"


def test_more_states_than_there_are_are_refused(api: Caller) -> None:
    assert api.get("/jobs?" + "&".join(["state=queued"] * 9)).status_code == 422


def test_jobs_of_a_collection_can_be_asked_for(api: Caller) -> None:
    one, other = (make_collection(api.tenant_id).id for _ in range(2))
    made(api)
    of_one = made(api, 2, operation=Operation.IDENTIFY, collection_id=one)
    of_other = made(api, operation=Operation.IDENTIFY, collection_id=other)
    assert ids(api, f"collection_id={one}") == of_one[::-1]
    assert ids(api, f"collection_id={other}") == of_other
    assert ids(api, f"collection_id={UUID(int=7)}") == []


def test_jobs_of_a_time_can_be_asked_for_and_windows_that_meet_have_each_once(api: Caller) -> None:
    first, second, third = made(api, 3)
    base = created(api, second)
    for number, job_id in enumerate((first, second, third)):
        set_time(job_id, base + dt.timedelta(milliseconds=number - 1))
    at = created(api, second).isoformat()
    assert ids(api, {"created_after": at}) == [third, second]
    assert ids(api, {"created_before": at}) == [first]
    assert ids(api, {"created_after": at, "created_before": at}) == []


def test_a_time_has_an_offset_and_any_will_do(api: Caller) -> None:
    (job_id,) = made(api)
    elsewhere = created(api, job_id).astimezone(dt.timezone(dt.timedelta(hours=-9)))
    assert ids(api, {"created_after": elsewhere.isoformat()}) == [job_id]
    response = api.get("/jobs?created_after=2026-01-01T00:00:00")
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["pointer"] == "/created_after"


@pytest.mark.parametrize("moment", ["1970-01-01T00:00:00Z", "2999-12-31T23:59:59Z"])
@pytest.mark.parametrize("name", ["created_after", "created_before"])
def test_times_at_the_ends_of_the_calendar_are_times(api: Caller, name: str, moment: str) -> None:
    jobs = made(api)
    within = (name == "created_after") == moment.startswith("1970")
    assert ids(api, {name: moment}) == (jobs if within else [])


def test_jobs_of_some_metadata_can_be_asked_for(api: Caller) -> None:
    night = made(api, metadata={"team": "night", "run": {"no": 1, "by": "x"}})
    day = made(api, metadata={"team": "day"})
    assert ids(api, {"metadata": '{"team": "night"}'}) == night
    assert ids(api, {"metadata": '{"run": {"no": 1}}'}) == night
    assert ids(api, {"metadata": "{}"}) == day + night
    assert ids(api, {"metadata": '{"team": "night", "run": {"no": 2}}'}) == []


@pytest.mark.parametrize("metadata", ["night", "[]", "{", ""])
def test_metadata_that_is_no_object_is_pointed_at(api: Caller, metadata: str) -> None:
    response = api.get("/jobs", query_string={"metadata": metadata})
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["pointer"] == "/metadata"


def test_filters_hold_together(api: Caller) -> None:
    collection_id = make_collection(api.tenant_id).id
    of_it: dict[str, Any] = {"operation": Operation.IDENTIFY, "collection_id": collection_id}
    (wanted,) = made(api, metadata={"k": 1}, **of_it)
    (done,) = made(api, metadata={"k": 1}, **of_it)
    close_item(UUID(done), 0)
    made(api, metadata={"k": 2}, **of_it)
    made(api, metadata={"k": 1})
    query = {
        "state": ["queued", "processing"],
        "operation": "identify",
        "collection_id": str(collection_id),
        "created_after": created(api, wanted).isoformat(),
        "metadata": '{"k": 1}',
    }
    assert ids(api, query) == [wanted]


def test_filters_show_nothing_of_another_tenant(api: Caller, stranger: Caller) -> None:
    collection_id = make_collection(stranger.tenant_id).id
    made(stranger, operation=Operation.IDENTIFY, collection_id=collection_id)
    assert ids(api, {"state": ["queued", "failed"]}) == []
    assert ids(api, f"collection_id={collection_id}") == []
    assert ids(api, "metadata={}") == []


def test_a_list_that_is_filtered_has_an_etag_of_its_own(api: Caller) -> None:
    made(api)
    etag = api.get("/jobs?state=queued&state=failed").headers["ETag"]
    unchanged = {"If-None-Match": etag}
    assert api.get("/jobs?state=queued&state=failed", headers=unchanged).status_code == 304
    assert api.get("/jobs?state=failed&state=expired", headers=unchanged).status_code == 200


def test_another_filter_is_refused_and_not_passed_over(api: Caller) -> None:
    response = api.get("/jobs?created_since=2026-01-01T00:00:00Z")
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["pointer"] == "/created_since"
