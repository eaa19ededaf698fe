"""Labels of which a client, a tenant or a receiver decides stay few."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

from app.metrics import requests
from app.metrics.webhooks import record_webhook_attempt


@pytest.fixture
def no_clients_yet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(requests, "_known_clients", set())
    requests._REQUESTS.clear()
    yield
    requests._REQUESTS.clear()


@pytest.mark.usefixtures("no_clients_yet")
def test_tenants_beyond_two_hundred_are_one() -> None:
    for number in range(210):
        requests.record_request(f"tenant-{number}", "detect", 202)

    asked = {
        sample.labels["client_id"]: sample.value
        for family in requests._REQUESTS.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    }
    assert len(asked) == 201
    assert asked["other"] == 10


def test_a_method_of_the_client_s_own_is_other() -> None:
    requests.record_request_time("/api/v1/jobs", "BREW", 405, 0.1)

    labels = {"route": "/api/v1/jobs", "status_class": "4xx"}
    name = "face_recognition_api_request_duration_seconds_count"
    assert REGISTRY.get_sample_value(name, labels | {"method": "BREW"}) is None
    assert REGISTRY.get_sample_value(name, labels | {"method": "other"})


@pytest.mark.parametrize(
    ("success", "status", "error", "outcome"),
    [
        (True, 204, None, "delivered"),
        (False, 302, None, "http_3xx"),
        (False, 418, None, "http_4xx"),
        (False, 503, None, "http_5xx"),
        (False, None, "webhook_unreachable: connection refused", "webhook_unreachable"),
    ],
)
def test_attempts_are_counted_by_what_came_of_them(
    success: bool, status: int | None, error: str | None, outcome: str
) -> None:
    def count() -> float:
        name = "face_recognition_webhook_attempts_total"
        return REGISTRY.get_sample_value(name, {"outcome": outcome}) or 0

    before = count()
    record_webhook_attempt(success=success, status=status, error=error)
    assert count() == before + 1
