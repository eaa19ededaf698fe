from __future__ import annotations

from typing import Any

import httpx
import pytest

from facequeue import Patience
from scripts.importing.client import FaceQueueClient
from scripts.importing.failures import Refused, Silent, Unreachable, UsageFault

JOB = {"id": "job-1", "state": "queued", "counts": {"total": 2, "succeeded": 0}}


class CannedAnswers(httpx.MockTransport):
    """Answers each request with the next of the given answers, and keeps the requests."""

    def __init__(self, *answers: tuple[int, Any, dict[str, str]]) -> None:
        super().__init__(self._answer)
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if not self._answers:
            raise httpx.ConnectError("connection refused")
        status, body, headers = self._answers.pop(0)
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        return httpx.Response(status, headers=headers, **content)


def client_with(
    *answers: tuple[int, Any, dict[str, str]], url: str = "http://facequeue"
) -> tuple[FaceQueueClient, CannedAnswers]:
    canned = CannedAnswers(*answers)
    return FaceQueueClient(url, "the-key", patience=Patience(retries=0), transport=canned), canned


@pytest.mark.parametrize(
    "url", ["http://facequeue", "http://facequeue/", "http://facequeue/api/v1/"]
)
def test_the_address_may_end_in_the_base_path_or_not(url: str) -> None:
    client, canned = client_with((200, JOB, {}), url=url)
    client.job("job-1")

    assert str(canned.requests[0].url) == "http://facequeue/api/v1/jobs/job-1"


def test_the_key_is_sent_as_a_bearer() -> None:
    client, canned = client_with((200, JOB, {}))
    client.job("job-1")

    assert canned.requests[0].headers["Authorization"] == "Bearer the-key"


def test_a_submit_carries_its_idempotency_key() -> None:
    client, canned = client_with((202, JOB, {}))
    client.submit({"operation": "detect"}, "import-1")

    assert canned.requests[0].headers["Idempotency-Key"] == "import-1"


def test_the_next_look_at_a_job_is_when_the_api_says() -> None:
    client, _ = client_with((202, JOB, {"Retry-After": "7"}))

    assert client.submit({}, "import-1").next_look == 7


def test_results_come_line_by_line() -> None:
    client, _ = client_with((200, b'{"custom_id": "a"}\n{"custom_id": "b"}\n', {}))

    assert [line["custom_id"] for line in client.results("job-1")] == ["a", "b"]


def test_a_refusal_tells_its_code_reasons_and_request() -> None:
    problem = {
        "code": "bucket_forbidden",
        "detail": "not yours",
        "errors": [{"pointer": "/items/0/image", "detail": "s3://x"}],
        "request_id": "r-1",
    }
    client, _ = client_with((422, problem, {}))

    with pytest.raises(Refused) as refusal:
        client.submit({}, "import-1")
    assert refusal.value.code == "bucket_forbidden"
    for part in ("422", "not yours", "/items/0/image: s3://x", "r-1"):
        assert part in str(refusal.value)


@pytest.mark.parametrize(
    ("status", "code"),
    [(500, "internal_error"), (429, "rate_limited"), (409, "idempotency_in_progress")],
)
def test_what_may_go_well_later_is_no_refusal(status: int, code: str) -> None:
    client, _ = client_with((status, {"code": code}, {}))

    with pytest.raises(Unreachable, match=code):
        client.submit({}, "import-1")


def test_an_answer_that_is_no_problem_document_is_still_told() -> None:
    client, _ = client_with((404, b"<html>", {}))

    with pytest.raises(Refused, match="http_404"):
        client.job("job-1")


def test_a_connection_that_fails_is_unreachable() -> None:
    client, _ = client_with()

    with pytest.raises(Silent, match="does not answer at http://facequeue"):
        client.job("job-1")


@pytest.mark.parametrize("url", ["nonsense", "ftp://facequeue", "http://"])
def test_an_address_that_is_none_is_wrong_usage(url: str) -> None:
    with pytest.raises(UsageFault, match="is no URL: give --api-url"):
        FaceQueueClient(url, "the-key").check()


def test_results_that_break_off_are_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facequeue.results._CUTS", 0)
    client, _ = client_with((200, b'{"custom_id": "a"}\n{"cust', {}))
    results = client.results("job-1")

    assert next(results) == {"custom_id": "a"}
    with pytest.raises(Unreachable, match="the results of job job-1 broke off") as fault:
        next(results)
    assert not isinstance(fault.value, Silent)


def test_whatever_is_made_carries_a_key_so_that_a_cut_does_not_make_it_twice() -> None:
    client, canned = client_with((201, {"id": "c-1"}, {}), (201, {"id": "c-2"}, {}))
    client.create_collection("one")
    client.create_collection("two")

    one, two = (request.headers["Idempotency-Key"] for request in canned.requests)
    assert one != two


def test_another_sites_page_is_wrong_usage() -> None:
    client, _ = client_with((200, b"<html>", {"Content-Type": "text/html; charset=utf-8"}))

    with pytest.raises(UsageFault, match="at http://facequeue/api/v1 is not FaceQueue"):
        client.job("job-1")


def test_a_collection_is_found_by_name_over_all_pages() -> None:
    first = {"data": [{"id": "c-1", "name": "one"}], "next_cursor": "more"}
    second = {"data": [{"id": "c-2", "name": "two"}], "next_cursor": None}
    client, canned = client_with((200, first, {}), (200, second, {}))

    assert client.find_collection("two") == "c-2"
    assert "cursor=more" in str(canned.requests[1].url)


def test_a_name_that_no_collection_has_finds_nothing() -> None:
    client, _ = client_with((200, {"data": [], "next_cursor": None}, {}))

    assert client.find_collection("none") is None


def test_a_collection_is_found_by_its_id() -> None:
    collection_id = "01890000-0000-7000-8000-000000000000"
    client, canned = client_with((200, {"id": collection_id}, {}))

    assert client.find_collection(collection_id) == collection_id
    assert str(canned.requests[0].url).endswith(f"/collections/{collection_id}")


def test_a_collection_is_found_by_its_name_as_a_mac_writes_it() -> None:
    page = {"data": [{"id": "c-1", "name": "Jos\u00e9"}], "next_cursor": None}
    client, _ = client_with((200, page, {}))

    assert client.find_collection("Jose\u0301") == "c-1"


def test_a_name_of_32_digits_is_a_name() -> None:
    name = "01890000000070008000000000000000"
    page = {"data": [{"id": "c-1", "name": name}], "next_cursor": None}
    client, _ = client_with((200, page, {}))

    assert client.find_collection(name) == "c-1"
