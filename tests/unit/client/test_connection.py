from __future__ import annotations

from typing import Any

import httpx
import pytest

from facequeue import (
    ApiError,
    Conflict,
    Forbidden,
    Invalid,
    NoAnswer,
    NotFaceQueue,
    NotFound,
    Patience,
    RateLimited,
    Unauthenticated,
    Unavailable,
    call,
    connect,
)

KEYED = {"headers": {"Idempotency-Key": "k"}}


def refused(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"code": "some_code", "detail": "no"}, headers=headers)


@pytest.mark.parametrize("url", ["http://faces", "http://faces/", "http://faces/api/v1/"])
def test_the_address_may_end_in_the_base_path_or_not(client_with: Any, url: str) -> None:
    _, canned = client_with(httpx.Response(200, json={}))
    call(connect(url, "the-key", transport=canned), "GET", "/me")

    assert str(canned.requests[0].url) == "http://faces/api/v1/me"


def test_the_key_is_sent_as_a_bearer(client_with: Any) -> None:
    client, canned = client_with(httpx.Response(200, json={}))
    call(client, "GET", "/me")

    assert canned.requests[0].headers["Authorization"] == "Bearer the-key"


@pytest.mark.parametrize("url", ["nonsense", "ftp://faces", "http://", ""])
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(ValueError, match="is no URL"):
        connect(url, "the-key")


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_an_api_that_restarts_is_asked_again(
    client_with: Any, naps: list[float], status: int
) -> None:
    client, canned = client_with(
        httpx.ConnectError("refused"), refused(status), httpx.Response(200, json={"a": 1})
    )

    assert call(client, "GET", "/me").json() == {"a": 1}
    assert len(canned.requests) == 3
    assert naps == [0.5, 1.0]


def test_the_pause_is_as_long_as_the_api_asks(client_with: Any, naps: list[float]) -> None:
    client, _ = client_with(refused(429, **{"Retry-After": "7"}), httpx.Response(200, json={}))
    call(client, "GET", "/me")

    assert naps == [7.0]


def test_an_api_that_asks_for_too_long_a_pause_is_not_waited_for(
    client_with: Any, naps: list[float]
) -> None:
    client, _ = client_with(refused(503, **{"Retry-After": "3600"}))

    with pytest.raises(Unavailable):
        call(client, "GET", "/me")
    assert naps == []


def test_patience_ends(client_with: Any) -> None:
    client, canned = client_with(refused(503), refused(503), refused(503))

    with pytest.raises(Unavailable):
        call(client, "GET", "/me")
    assert len(canned.requests) == 3


def test_pauses_grow_to_the_longest() -> None:
    assert list(Patience(retries=8).pauses())[-2:] == [30.0, 30.0]


def test_a_post_that_was_cut_is_sent_again_under_its_key(client_with: Any) -> None:
    cut = httpx.ReadError("connection reset")
    client, canned = client_with(cut, httpx.Response(202, json={}))
    call(client, "POST", "/jobs", **KEYED)

    assert [r.headers["Idempotency-Key"] for r in canned.requests] == ["k", "k"]


@pytest.mark.parametrize("answer", [httpx.ReadError("connection reset"), refused(502)])
def test_a_post_without_a_key_that_may_have_had_its_effect_is_not_sent_again(
    client_with: Any, answer: Any
) -> None:
    client, canned = client_with(answer)

    with pytest.raises((NoAnswer, Unavailable)):
        call(client, "POST", "/jobs")
    assert len(canned.requests) == 1


def test_a_request_that_never_left_is_sent_again_whatever_it_is(client_with: Any) -> None:
    client, canned = client_with(httpx.ConnectError("refused"), httpx.Response(201, json={}))
    call(client, "POST", "/collections")

    assert len(canned.requests) == 2


def test_a_duplicate_that_still_runs_is_waited_for(client_with: Any) -> None:
    running = httpx.Response(409, json={"code": "idempotency_in_progress"})
    client, canned = client_with(running, httpx.Response(202, json={}))
    call(client, "POST", "/jobs", **KEYED)

    assert len(canned.requests) == 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Invalid),
        (401, Unauthenticated),
        (403, Forbidden),
        (404, NotFound),
        (405, ApiError),
        (409, Conflict),
        (412, Conflict),
        (413, Invalid),
        (415, Invalid),
        (422, Invalid),
        (429, RateLimited),
        (500, Unavailable),
    ],
)
def test_each_refusal_is_an_error_of_its_kind(
    client_with: Any, status: int, kind: type[ApiError]
) -> None:
    client, _ = client_with(*[refused(status) for _ in range(3)])

    with pytest.raises(ApiError) as refusal:
        call(client, "POST", "/collections", **KEYED)
    assert type(refusal.value) is kind
    assert (refusal.value.status, refusal.value.code) == (status, "some_code")


def test_a_refusal_tells_its_code_reasons_and_request(client_with: Any) -> None:
    problem = {
        "code": "validation_failed",
        "detail": "not so",
        "errors": [{"pointer": "/items/0/image", "detail": "s3://x"}],
        "request_id": "r-1",
    }
    client, _ = client_with(httpx.Response(422, json=problem))

    with pytest.raises(
        Invalid, match=r"422 validation_failed: not so \[/items/0/image: s3://x\]"
    ) as e:
        call(client, "POST", "/jobs")
    assert e.value.request_id == "r-1"
    assert e.value.reasons == [("/items/0/image", "s3://x")]


def test_an_answer_that_is_no_problem_document_is_still_told(client_with: Any) -> None:
    client, _ = client_with(httpx.Response(404, content=b"<html>"))

    with pytest.raises(NotFound, match="http_404: Not Found"):
        call(client, "GET", "/me")


def test_another_sites_page_is_not_facequeue(client_with: Any) -> None:
    client, _ = client_with(httpx.Response(200, html="<html>"))

    with pytest.raises(NotFaceQueue, match="at faces is not FaceQueue"):
        call(client, "GET", "/me")


def test_nobody_there_is_told_with_the_reason(client_with: Any) -> None:
    client, _ = client_with()

    with pytest.raises(NoAnswer, match="does not answer: refused"):
        call(client, "GET", "/me")
