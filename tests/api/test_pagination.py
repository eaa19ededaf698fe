from __future__ import annotations

import pytest

from tests.factories.callers import Caller
from tests.factories.galleries import make_collection, make_subject
from tests.factories.jobs import make_job


def test_pages_hold_every_row_once_newest_first(api: Caller) -> None:
    made = [str(make_collection(api.tenant_id).id) for _ in range(5)]
    seen, sizes, cursor = [], [], None
    while True:
        query = f"&cursor={cursor}" if cursor else ""
        page = api.get(f"/collections?limit=2{query}").get_json()
        seen += [row["id"] for row in page["data"]]
        sizes.append(len(page["data"]))
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]
    assert sizes == [2, 2, 1]


def test_a_list_that_ends_with_its_page_has_no_next(api: Caller) -> None:
    for _ in range(2):
        make_collection(api.tenant_id)
    response = api.get("/collections?limit=2")
    assert response.get_json()["next_cursor"] is None
    assert "Link" not in response.headers


def test_the_link_header_leads_to_the_next_page_with_its_filters(api: Caller) -> None:
    jobs = [make_job(api.tenant_id) for _ in range(3)]
    first = api.get("/jobs?state=queued&limit=2")
    link = first.headers["Link"]
    assert link.endswith('; rel="next"')
    url = link[1 : link.index(">")].removeprefix("/api/v1")
    assert "state=queued" in url
    assert [row["id"] for row in api.get(url).get_json()["data"]] == [str(jobs[0])]


def test_rows_that_come_meanwhile_are_not_shown_twice(api: Caller) -> None:
    make_collection(api.tenant_id)
    oldest_but_one = make_collection(api.tenant_id)
    cursor = api.get("/collections?limit=1").get_json()["next_cursor"]
    make_collection(api.tenant_id)
    page = api.get(f"/collections?limit=5&cursor={cursor}").get_json()
    assert str(oldest_but_one.id) not in [row["id"] for row in page["data"]]
    assert len(page["data"]) == 1


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many"])
def test_a_limit_out_of_range_is_refused(api: Caller, limit: str) -> None:
    response = api.get(f"/collections?limit={limit}")
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["pointer"] == "/limit"


def test_an_altered_cursor_is_refused(api: Caller) -> None:
    cursor = _cursor_of_subjects(api)[0]
    for forged in ("nonsense", cursor[:-1], cursor + "x", "", "ä"):
        response = api.get("/collections", query_string={"cursor": forged})
        assert response.status_code == 422
        assert response.get_json()["code"] == "cursor_invalid"


def test_a_cursor_fits_only_the_list_that_it_came_from(api: Caller, stranger: Caller) -> None:
    cursor, path = _cursor_of_subjects(api)
    assert api.get(f"{path}?cursor={cursor}").status_code == 200
    for caller, other in ((api, "/jobs"), (api, "/audit-events"), (stranger, "/collections")):
        response = caller.get(f"{other}?cursor={cursor}")
        assert response.get_json()["code"] == "cursor_invalid"


def test_a_cursor_fits_only_the_filters_that_it_came_from(api: Caller) -> None:
    for _ in range(2):
        make_job(api.tenant_id)
    cursor = api.get("/jobs?state=queued&limit=1").get_json()["next_cursor"]
    response = api.get(f"/jobs?state=failed&cursor={cursor}")
    assert response.get_json()["code"] == "cursor_invalid"


def _cursor_of_subjects(api: Caller) -> tuple[str, str]:
    collection = make_collection(api.tenant_id)
    for _ in range(2):
        make_subject(collection)
    path = f"/collections/{collection.id}/subjects"
    return api.get(f"{path}?limit=1").get_json()["next_cursor"], path
