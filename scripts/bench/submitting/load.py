"""A load generator that costs little itself: prepared bodies over connections that stay open."""

from __future__ import annotations

import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from urllib.parse import urlsplit

from scripts.stack.environment import BUCKET

_TIMEOUT_S = 120.0
_JOBS_PATH = "/api/v1/jobs"


@dataclass(frozen=True)
class Load:
    """Latencies in seconds of every request, and how long all of them took together."""

    latencies: list[float]
    seconds: float
    items: int

    def report(self) -> dict[str, float]:
        """Rates a second, and quantiles in milliseconds."""
        jobs = len(self.latencies)
        cuts = statistics.quantiles(self.latencies, n=100, method="inclusive")
        return {
            "jobs": jobs,
            "jobs_per_s": round(jobs / self.seconds, 1),
            "items_per_s": round(jobs * self.items / self.seconds),
            "p50_ms": round(cuts[49] * 1000, 1),
            "p99_ms": round(cuts[98] * 1000, 1),
        }


class LoadGenerator:
    """Submits `detect` jobs in the name of one key."""

    def __init__(self, url: str, key: str) -> None:
        self._address = urlsplit(url).netloc
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def run(self, items: int, clients: int, seconds: float) -> Load:
        """Submit jobs of so many items from several clients at once, for a while."""
        body = job_body(items)
        began = time.monotonic()

        def client(_: int) -> list[float]:
            return self._submit_until(body, began + seconds)

        with ThreadPoolExecutor(clients) as pool:
            latencies = [latency for each in pool.map(client, range(clients)) for latency in each]
        return Load(latencies, time.monotonic() - began, items)

    def run_paced(self, items: int, clients: int, rate: float, seconds: float) -> Load:
        """Submit jobs of so many items at a steady rate; a latency counts from when one was due."""
        body = job_body(items)
        began = time.monotonic()

        def client(number: int) -> list[float]:
            due = [began + turn / rate for turn in range(number, round(rate * seconds), clients)]
            return self._submit_when_due(body, due)

        with ThreadPoolExecutor(clients) as pool:
            latencies = [latency for each in pool.map(client, range(clients)) for latency in each]
        return Load(latencies, time.monotonic() - began, items)

    def submit(self, items: int, times: int) -> list[float]:
        """Submit jobs one after another; the seconds that each took."""
        body = job_body(items)
        connection = self._connect()
        try:
            return [self._post(connection, body) for _ in range(times)]
        finally:
            connection.close()

    def _submit_until(self, body: bytes, deadline: float) -> list[float]:
        latencies = []
        connection = self._connect()
        while time.monotonic() < deadline:
            latencies.append(self._post(connection, body))
        connection.close()
        return latencies

    def _submit_when_due(self, body: bytes, due: list[float]) -> list[float]:
        latencies = []
        connection = self._connect()
        for moment in due:
            time.sleep(max(0.0, moment - time.monotonic()))
            self._post(connection, body)
            latencies.append(time.monotonic() - moment)
        connection.close()
        return latencies

    def _connect(self) -> HTTPConnection:
        return HTTPConnection(self._address, timeout=_TIMEOUT_S)

    def _post(self, connection: HTTPConnection, body: bytes) -> float:
        began = time.monotonic()
        connection.request("POST", _JOBS_PATH, body, self._headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != HTTPStatus.ACCEPTED:
            raise RuntimeError(f"{answer.status}: {content[:300]!r}")
        return time.monotonic() - began


def job_body(items: int) -> bytes:
    """A job of so many images, as its bytes."""
    listed = [
        {"custom_id": f"item-{number}", "image": f"s3://{BUCKET}/prefix/of/images/{number:08}.jpg"}
        for number in range(items)
    ]
    return json.dumps({"operation": "detect", "items": listed}).encode()
