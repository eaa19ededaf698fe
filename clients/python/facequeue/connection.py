"""The way to the API: what is sent again, when, and for how long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx

from facequeue.core import AuthenticatedClient
from facequeue.errors import NoAnswer, checked, problem_of

_BASE = "/api/v1"
_TIMEOUT = httpx.Timeout(60, connect=5)
_TRY_LATER = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
# Doing these twice is doing them once. PATCH is not here: its If-Match is good for one time.
_SAFE_TWICE = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})


@dataclass(frozen=True)
class Patience:
    """How long a restart of the API or a rate limit is waited out: about two minutes as it is.

    Attributes:
        retries: how often a request is sent again.
        first_pause: seconds before the first time; doubled each time.
        longest_pause: seconds.
        longest_wait: seconds; an API that asks for a longer one is not waited for.
    """

    retries: int = 8
    first_pause: float = 0.5
    longest_pause: float = 30.0
    longest_wait: float = 90.0
    sleep: Callable[[float], None] = time.sleep

    def pauses(self) -> Iterator[float]:
        """Give the seconds before each time that a request is sent again."""
        for retry in range(self.retries):
            yield min(self.first_pause * 2**retry, self.longest_pause)


class PatientClient(httpx.Client):
    """Sends what is safe to send twice again: reads, deletions, all with an Idempotency-Key."""

    def __init__(self, patience: Patience, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.patience = patience

    def send(self, request: httpx.Request, **arguments: Any) -> httpx.Response:
        """Send a request until the answer is one, or patience ends; then as httpx does."""
        for pause in self.patience.pauses():
            try:
                response = super().send(request, **arguments)
            except httpx.TransportError as error:
                if not _may_send_again(request, error):
                    raise
                wait = pause
            else:
                wait = max(pause, seconds_to_wait(response, 0))
                if not _may_go_well_later(request, response) or wait > self.patience.longest_wait:
                    return response
                response.close()
            self.patience.sleep(wait)
        return super().send(request, **arguments)


def connect(
    url: str,
    key: str,
    *,
    patience: Patience | None = None,
    transport: httpx.BaseTransport | None = None,
) -> AuthenticatedClient:
    """Make a client of the API; it may be shared by threads. Sends nothing yet.

    Args:
        url: of the service, such as `https://faces.example`, with `/api/v1` behind it or not.
        key: an API key.
        patience: for restarts and rate limits. The calls named `asyncio` of the generated core
            have none.
        transport: what httpx sends with, where it is not the network.

    Raises:
        ValueError: `url` is none.
    """
    base = url.rstrip("/").removesuffix(_BASE)
    parts = urlsplit(base)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url!r} is no URL: write http://HOST:PORT or https://HOST")
    client = AuthenticatedClient(base_url=base, token=key, timeout=_TIMEOUT)
    patient = PatientClient(
        patience or Patience(),
        base_url=base,
        headers={"Authorization": f"Bearer {key}"},
        timeout=_TIMEOUT,
        follow_redirects=True,
        transport=transport,
    )
    return client.set_httpx_client(patient)


def call(client: AuthenticatedClient, method: str, path: str, **arguments: Any) -> httpx.Response:
    """Make a call that the helpers have none for, at a path below /api/v1.

    Args:
        client: of `connect`.
        method: such as `GET`.
        path: such as `/jobs`.
        arguments: as `httpx.Client.request` takes them.

    Raises:
        ApiError, NotFaceQueue, NoAnswer: as facequeue.errors says.
    """
    try:
        response = client.get_httpx_client().request(method, _BASE + path, **arguments)
    except httpx.TransportError as error:
        raise no_answer(error) from error
    return checked(response)


def no_answer(error: httpx.TransportError) -> NoAnswer:
    """Say in one line that nobody answered."""
    return NoAnswer(f"FaceQueue does not answer: {error or type(error).__name__}")


def seconds_to_wait(response: httpx.Response, otherwise: float) -> float:
    """Read `Retry-After`."""
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isdecimal() else otherwise


def _may_send_again(request: httpx.Request, error: httpx.TransportError) -> bool:
    was_not_sent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
    return was_not_sent or _is_safe_twice(request)


def _may_go_well_later(request: httpx.Request, response: httpx.Response) -> bool:
    if response.status_code in _TRY_LATER:
        # A refusal did nothing; a gateway's own failure may have done it.
        return response.status_code == HTTPStatus.TOO_MANY_REQUESTS or _is_safe_twice(request)
    if response.status_code == HTTPStatus.CONFLICT:
        response.read()
        return problem_of(response).get("code") == "idempotency_in_progress"
    return False


def _is_safe_twice(request: httpx.Request) -> bool:
    return request.method in _SAFE_TWICE or "Idempotency-Key" in request.headers
