from __future__ import annotations

import re
from ipaddress import IPv6Address
from secrets import randbelow
from uuid import uuid4

import pytest
from flask import Flask
from prometheus_client import REGISTRY
from werkzeug.test import TestResponse

from app import create_app
from app.config import load_settings
from app.domain.names import Scope
from app.web.rate_limit import Limiter
from tests.factories.callers import Caller, make_caller


def _limited(**changes: object) -> Flask:
    return create_app(load_settings(api_rate_limit_per_minute=2, **changes))


@pytest.fixture
def limited(app: Flask) -> Caller:
    caller = make_caller(app)
    return Caller(_limited(), caller.tenant_id, caller.key)


def test_a_key_that_asks_too_often_is_told_when_to_come_back(limited: Caller) -> None:
    answers = [limited.get("/jobs") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused = answers[-1]
    assert refused.get_json()["code"] == "rate_limited"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60


def test_every_answer_says_what_is_left(limited: Caller) -> None:
    first, second = limited.get("/jobs"), limited.get("/jobs")
    assert first.headers["RateLimit-Policy"] == '"key";q=2;w=60, "tenant";q=6000;w=60'
    stands = [
        re.fullmatch(r'"key";r=(\d+);t=\d+, "tenant";r=(\d+);t=\d+', answer.headers["RateLimit"])
        for answer in (first, second)
    ]
    assert [stand and stand.groups() for stand in stands] == [("1", "5999"), ("0", "5998")]


def test_a_refusal_is_not_kept_for_its_idempotency_key(limited: Caller, app: Flask) -> None:
    for _ in range(2):
        limited.get("/jobs")
    headers = {"Idempotency-Key": "key-1"}
    assert limited.post("/collections", json={"name": "a"}, headers=headers).status_code == 429
    unlimited = Caller(app, limited.tenant_id, limited.key)
    assert unlimited.post("/collections", json={"name": "a"}, headers=headers).status_code == 201


def test_each_key_has_its_own_limit(limited: Caller, app: Flask) -> None:
    other = make_caller(app)
    for _ in range(3):
        limited.get("/jobs")
    assert Caller(limited.app, other.tenant_id, other.key).get("/jobs").status_code == 200


def test_keys_of_one_tenant_share_a_limit_too(limited: Caller, app: Flask) -> None:
    strict = _limited(api_tenant_rate_limit_per_minute=3)
    first = Caller(strict, limited.tenant_id, limited.key)
    second = first.with_scopes(Scope.JOBS_READ)
    other = make_caller(app)
    answers = [caller.get("/jobs") for caller in (first, first, second, second)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert "All keys of this tenant" in answers[-1].get_json()["detail"]
    assert Caller(strict, other.tenant_id, other.key).get("/jobs").status_code == 200


def test_what_a_key_is_refused_does_not_count_for_its_tenant(limited: Caller) -> None:
    strict = _limited(api_tenant_rate_limit_per_minute=4)
    first = Caller(strict, limited.tenant_id, limited.key)
    second = first.with_scopes(Scope.JOBS_READ)
    for _ in range(9):
        first.get("/jobs")
    assert [second.get("/jobs").status_code for _ in range(2)] == [200, 200]


@pytest.fixture
def guesser(stack_environment: dict[str, str]) -> Guesser:
    del stack_environment  # it is in os.environ
    return Guesser(_limited(trusted_proxies=("10.0.0.0/8",)))


class Guesser:
    """Sends wrong keys from an address of its own."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.address = f"192.0.2.{randbelow(250)}.{uuid4()}"  # only equal ones are one client

    def send(self, key: str = "fq_0123456789ab_wrong", **environ: str) -> TestResponse:
        return self.app.test_client().get(
            "/api/v1/jobs",
            headers={"Authorization": f"Bearer {key}"},
            environ_overrides={"REMOTE_ADDR": self.address, **environ},
        )


def test_an_address_that_sends_wrong_keys_is_told_to_stop(guesser: Guesser) -> None:
    answers = [guesser.send() for _ in range(21)]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429]
    assert answers[-1].get_json()["code"] == "rate_limited"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


def test_another_address_of_the_same_network_of_ipv6_is_no_way_around(guesser: Guesser) -> None:
    network = f"2001:db8:{randbelow(2**16):x}:{randbelow(2**16):x}"
    answers = [guesser.send(REMOTE_ADDR=f"{network}::{n:x}").status_code for n in range(1, 22)]

    assert answers == [401] * 20 + [429]


def test_wrong_keys_are_counted_where_nothing_is_limited(guesser: Guesser) -> None:
    def counted() -> float:
        labels = {"status": "401"}
        return REGISTRY.get_sample_value("face_recognition_refused_keys_total", labels) or 0

    before = counted()
    guesser.app = _limited(enable_api_rate_limiting=False)

    assert [guesser.send().status_code for _ in range(25)] == [401] * 25
    assert counted() == before + 25


def test_a_right_key_from_that_address_goes_on(guesser: Guesser, limited: Caller) -> None:
    for _ in range(21):
        guesser.send()
    assert guesser.send(limited.key).status_code == 200


def test_a_request_without_a_key_is_no_wrong_one(guesser: Guesser) -> None:
    assert [guesser.send("").status_code for _ in range(25)] == [401] * 25


def test_wrong_keys_are_logged_once_and_counted(
    guesser: Guesser, caplog: pytest.LogCaptureFixture
) -> None:
    counted = [
        REGISTRY.get_sample_value("face_recognition_refused_keys_total", {"status": status}) or 0
        for status in ("401", "429")
    ]
    for _ in range(23):
        guesser.send()
    [line] = [r.msg for r in caplog.records if isinstance(r.msg, dict) and "address" in r.msg]
    assert (line["event"], line["address"]) == ("keys_refused", guesser.address)
    now = [
        REGISTRY.get_sample_value("face_recognition_refused_keys_total", {"status": status})
        for status in ("401", "429")
    ]
    assert now == [counted[0] + 20, counted[1] + 3]


def test_behind_a_trusted_proxy_each_client_counts_by_itself(guesser: Guesser) -> None:
    def through_proxy(client: str, claimed: str = "") -> int:
        told = f"{claimed}, {client}" if claimed else client
        return guesser.send(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=told).status_code

    one, other = _some_address(), _some_address()
    assert [through_proxy(one, f"claim-{n}") for n in range(21)] == [401] * 20 + [429]
    assert through_proxy(other) == 401


def test_what_a_stranger_claims_to_forward_is_not_believed(guesser: Guesser) -> None:
    answers = [guesser.send(HTTP_X_FORWARDED_FOR=f"198.51.100.{n}") for n in range(21)]
    assert answers[-1].status_code == 429


def test_processes_share_the_count(limited: Caller) -> None:
    sibling = Caller(_limited(), limited.tenant_id, limited.key)
    assert [c.get("/jobs").status_code for c in (limited, sibling, limited)] == [200, 200, 429]


def test_without_redis_the_process_counts_alone(limited: Caller) -> None:
    alone = Caller(_limited(cache_url="redis://127.0.0.1:1/0"), limited.tenant_id, limited.key)
    assert [alone.get("/jobs").status_code for _ in range(3)] == [200, 200, 429]
    limiter: Limiter = alone.app.extensions["facequeue-rate-limit"]
    assert limiter.counts.paused_until > 0


def test_the_operator_may_switch_the_limit_off(limited: Caller) -> None:
    app = _limited(enable_api_rate_limiting=False)
    free = Caller(app, limited.tenant_id, limited.key)
    answers = [free.get("/jobs") for _ in range(4)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[0].headers


def test_only_the_origins_of_the_settings_may_call_from_a_browser(
    limited: Caller,
) -> None:
    app = _limited(cors_allowed_origins=("https://app.example",))
    caller = Caller(app, limited.tenant_id, limited.key)
    allowed = caller.get("/jobs", headers={"Origin": "https://app.example"})
    other = caller.get("/jobs", headers={"Origin": "https://evil.example"})
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://app.example"
    exposed = set(allowed.headers["Access-Control-Expose-Headers"].split(", "))
    assert {"ETag", "Link", "RateLimit", "Idempotent-Replayed"} < exposed
    assert "Access-Control-Allow-Origin" not in other.headers
    plain = limited.get("/jobs", headers={"Origin": "https://app.example"})
    assert "Access-Control-Allow-Origin" not in plain.headers


def _some_address() -> str:
    """An address from which no earlier run of this test has asked."""
    return str(IPv6Address(int.from_bytes(b"\x20\x01\x0d\xb8") << 96 | uuid4().int >> 32))
