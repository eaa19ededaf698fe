from __future__ import annotations

import pytest
from flask import Flask

from app import create_app
from app.config import load_settings
from app.web.rate_limit import KeyLimiter
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
    assert first.headers["RateLimit-Policy"] == '"key";q=2;w=60'
    assert first.headers["RateLimit"].startswith('"key";r=1;t=')
    assert second.headers["RateLimit"].startswith('"key";r=0;t=')


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


def test_processes_share_the_count(limited: Caller) -> None:
    sibling = Caller(_limited(), limited.tenant_id, limited.key)
    assert [c.get("/jobs").status_code for c in (limited, sibling, limited)] == [200, 200, 429]


def test_without_redis_the_process_counts_alone(limited: Caller) -> None:
    alone = Caller(_limited(cache_url="redis://127.0.0.1:1/0"), limited.tenant_id, limited.key)
    assert [alone.get("/jobs").status_code for _ in range(3)] == [200, 200, 429]
    limiter: KeyLimiter = alone.app.extensions["facequeue-rate-limit"]
    assert limiter.paused_until > 0


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
