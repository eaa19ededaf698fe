from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from facequeue import AuthenticatedClient, Patience, connect

Answer = httpx.Response | Exception


class CannedAnswers(httpx.MockTransport):
    """Answers each request with the next of the given answers, and keeps the requests."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__(self._answer)
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if self._answers else httpx.ConnectError("refused")
        if isinstance(answer, Exception):
            raise answer
        return answer


class CutStream(httpx.SyncByteStream):
    """A body that breaks off after some bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        yield self._content
        raise httpx.ReadError("connection reset")


@pytest.fixture
def naps() -> list[float]:
    """The seconds that were slept."""
    return []


@pytest.fixture
def client_with(
    naps: list[float],
) -> Callable[..., tuple[AuthenticatedClient, CannedAnswers]]:
    """A client whose calls get the given answers, one after the other."""

    def make(*answers: Answer) -> tuple[AuthenticatedClient, CannedAnswers]:
        canned = CannedAnswers(*answers)
        patience = Patience(retries=2, sleep=naps.append)
        return connect("http://faces", "the-key", patience=patience, transport=canned), canned

    return make


def job(state: str = "queued", **members: Any) -> dict[str, Any]:
    """A job as the API shows it."""
    return {
        "id": "01990000-0000-7000-8000-000000000001",
        "operation": "detect",
        "state": state,
        "priority": "interactive",
        "collection_id": None,
        "model": "SFace@99d5ab008c8f",
        "options": {},
        "counts": dict.fromkeys(
            ("total", "pending", "processing", "succeeded", "failed", "canceled"), 0
        ),
        "errors_by_code": {},
        "failure_code": None,
        "metadata": {},
        "created_at": "2026-03-01T12:00:00Z",
        "started_at": None,
        "finished_at": None,
        "expires_at": "2026-03-08T12:00:00Z",
        "redrive_of": None,
        "redriven_by": [],
        **members,
    }
