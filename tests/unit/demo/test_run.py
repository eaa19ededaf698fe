from __future__ import annotations

from contextlib import suppress
from typing import Any

import httpx
import pytest

from facequeue import AuthenticatedClient
from scripts.demo.client import DemoClient
from scripts.demo.run import _refuse_unfinished
from scripts.importing.client import JobView
from scripts.stack.failures import StackError


class Recorded(DemoClient):
    """A client whose calls go nowhere and are written down."""

    def __init__(self) -> None:
        super().__init__("http://nowhere", "key")
        self.calls: list[tuple[str, str]] = []

    def _call(
        self, method: str, path: str, client: AuthenticatedClient | None = None, **arguments: Any
    ) -> httpx.Response:
        del client, arguments
        self.calls.append((method, path))
        return httpx.Response(200, json={"id": "7", "secret": "whsec_x"})


def test_the_webhook_endpoint_is_gone_however_the_run_ends() -> None:
    client = Recorded()

    with suppress(KeyboardInterrupt), client.registered("http://127.0.0.1:1/facequeue"):
        raise KeyboardInterrupt

    assert client.calls == [("POST", "/webhook-endpoints"), ("DELETE", "/webhook-endpoints/7")]


@pytest.mark.parametrize("state", ["failed", "canceled", "expired"])
def test_a_job_that_could_not_run_is_an_error_and_not_a_table_without_faces(state: str) -> None:
    with pytest.raises(StackError, match=f"Job 7 ended as {state}"):
        _refuse_unfinished(JobView("7", state, {}, 1.0))
