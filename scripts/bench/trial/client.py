"""A client of the HTTP API that sends a cut request again, with the same Idempotency-Key."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import requests

from scripts.bench.trial.stack import Tenant

_PATIENCE_S = 120.0
_PAUSE_S = 0.2
_TIMEOUT_S = 40.0
# Answers after which the same request may succeed: the API or what it stands on is down.
_TRY_AGAIN = frozenset({429, 500, 502, 503, 504})


class ApiRefusal(Exception):
    """The API said no, and would say it again."""


class ApiClient:
    """The API as one tenant sees it. For one thread."""

    def __init__(self, url: str, tenant: Tenant) -> None:
        self._base = url + "/api/v1"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {tenant.key}"
        self.resent = 0

    def post(
        self, path: str, body: Mapping[str, Any], idempotency_key: str, *, wait_s: int = 0
    ) -> dict[str, Any]:
        """Create something once, however often it takes to hear so; a job's end is waited for."""
        headers = {"Idempotency-Key": idempotency_key}
        headers |= {"Prefer": f"wait={wait_s}"} if wait_s else {}
        answer: dict[str, Any] = self._send("POST", path, json=body, headers=headers).json()
        return answer

    def get(self, path: str) -> dict[str, Any]:
        """Read something."""
        answer: dict[str, Any] = self._send("GET", path).json()
        return answer

    def results(self, job_id: str) -> Iterator[dict[str, Any]]:
        """Every item of a job with its result."""
        for line in self._send("GET", f"/jobs/{job_id}/results.jsonl").text.splitlines():
            yield json.loads(line)

    def wait(self, job_id: str, seconds: float) -> str:
        """Poll a job until it ends; its last state."""
        deadline = time.monotonic() + seconds
        while True:
            job = self.get(f"/jobs/{job_id}")
            if job["finished_at"] or time.monotonic() > deadline:
                return str(job["state"])
            time.sleep(_PAUSE_S)

    def _send(self, method: str, path: str, **arguments: Any) -> requests.Response:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            response = self._try(method, path, arguments)
            if response is not None and response.ok:
                return response
            if response is not None and not _may_recover(response):
                raise ApiRefusal(f"{method} {path}: {response.status_code} {response.text[:500]}")
            if time.monotonic() > deadline:
                raise ApiRefusal(f"{method} {path}: no answer in {_PATIENCE_S:g} s")
            self.resent += method == "POST"
            time.sleep(_PAUSE_S)

    def _try(self, method: str, path: str, arguments: dict[str, Any]) -> requests.Response | None:
        try:
            return self._session.request(method, self._base + path, timeout=_TIMEOUT_S, **arguments)
        except requests.RequestException:
            return None


def _may_recover(response: requests.Response) -> bool:
    if response.status_code in _TRY_AGAIN:
        return True
    return "idempotency_in_progress" in response.text
