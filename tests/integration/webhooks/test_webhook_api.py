"""The webhook routes, through the application, with real keys."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from standardwebhooks.webhooks import Webhook

from app.database.transactions import owner_transaction
from app.domain.identifiers import new_id
from app.domain.names import Scope
from app.models.tenant import Tenant
from app.services.tenancy.api_keys import NewKey, issue_api_key

BASE = "/api/v1/webhook-endpoints"
UNKNOWN = "019a0000-0000-7000-8000-000000000000"


class Caller:
    """A client of the API that holds a key of one tenant."""

    def __init__(self, app: Flask, tenant_id: UUID, scope: Scope = Scope.WEBHOOKS_WRITE) -> None:
        _, key = issue_api_key(tenant_id, NewKey("test", [scope]))
        self._client = app.test_client()
        self._headers = {"Authorization": f"Bearer {key}"}

    def __call__(
        self, method: str, path: str = "", body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self._client.open(
            BASE + path, method=method, json=body, headers={**self._headers, **extra}
        )
        return answer.status_code, answer.get_json(silent=True)


@pytest.fixture
def call(sender: Any) -> Caller:
    return Caller(sender.app, sender.tenant_id)


@pytest.fixture
def made(call: Caller, receiver: Any) -> dict[str, Any]:
    status, endpoint = call("POST", body={"url": receiver.url})
    assert status == 201
    return dict(endpoint)


def test_a_new_endpoint_shows_its_secret_once(call: Caller, made: dict[str, Any]) -> None:
    assert made["secret"].startswith("whsec_")
    assert made["state"] == "enabled"
    assert made["events"] == ["job.succeeded", "job.failed", "job.canceled", "job.expired"]

    status, read = call("GET", f"/{made['id']}")

    assert status == 200
    assert read == {name: value for name, value in made.items() if name != "secret"}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/url"),
        ({"url": "ftp://example.com/"}, "/url"),
        ({"url": "http://user:pw@example.com/"}, "/url"),
        ({"url": "/relative"}, "/url"),
        ({"url": "https://example.com/" + "a" * 2048}, "/url"),
        ({"url": "https://example.com/", "events": []}, "/events"),
        ({"url": "https://example.com/", "events": ["job.started"]}, "/events/0"),
        ({"url": "https://example.com/", "events": ["endpoint.test"]}, "/events/0"),
        ({"url": "https://example.com/", "description": "x" * 1001}, "/description"),
        ({"url": "https://example.com/", "secret": "mine"}, "/secret"),
    ],
)
def test_what_is_wrong_with_an_endpoint_is_pointed_at(
    call: Caller, body: Any, pointer: str
) -> None:
    status, problem = call("POST", body=body)

    assert status == 422
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_a_url_that_cannot_be_called_has_its_own_code(call: Caller) -> None:
    _, problem = call("POST", body={"url": "gopher://example.com/"})

    assert problem["code"] == "webhook_url_invalid"


@pytest.mark.parametrize("host", ["127.0.0.1:9333", "10.0.0.8", "localhost", "1.1.1.1", "0x7f.1"])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_an_address_that_is_not_listed_is_refused_with_the_reason(
    call: Caller, made: dict[str, Any], method: str, host: str
) -> None:
    path = "" if method == "POST" else f"/{made['id']}"

    status, problem = call(method, path, {"url": f"http://{host}/hook"})

    assert (status, problem["code"]) == (422, "webhook_address_forbidden")
    assert [error["pointer"] for error in problem["errors"]] == ["/url"]
    assert "the operator has not listed it with port" in problem["detail"]
    assert call("GET", f"/{made['id']}")[1]["url"] == made["url"]


def test_a_url_is_registered_once(call: Caller, made: dict[str, Any]) -> None:
    _, other = call("POST", body={"url": "https://example.com/hook"})

    again = call("POST", body={"url": made["url"]})
    moved = call("PATCH", f"/{other['id']}", {"url": made["url"]})
    same = call("PATCH", f"/{made['id']}", {"url": made["url"]})

    for status, problem in (again, moved):
        assert (status, problem["code"]) == (409, "already_exists")
        assert [error["pointer"] for error in problem["errors"]] == ["/url"]
    assert same[0] == 200


def test_another_tenant_may_register_the_same_url(sender: Any, made: dict[str, Any]) -> None:
    stranger = new_id()
    with owner_transaction() as session:
        session.add(Tenant(id=stranger, name=f"tenant {stranger}"))

    assert Caller(sender.app, stranger)("POST", body={"url": made["url"]})[0] == 201


def test_a_tenant_has_only_so_many_endpoints(
    sender: Any, call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = sender.app.config["SETTINGS"].model_copy(update={"max_webhook_endpoints": 2})
    monkeypatch.setitem(sender.app.config, "SETTINGS", settings)

    answers = [call("POST", body={"url": f"https://example.com/{n}"}) for n in range(3)]

    assert [status for status, _ in answers] == [201, 201, 409]
    assert answers[-1][1]["code"] == "webhook_endpoints_limit"


def test_production_refuses_a_url_without_tls(
    sender: Any, call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = sender.app.config["SETTINGS"].model_copy(update={"facequeue_env": "production"})
    monkeypatch.setitem(sender.app.config, "SETTINGS", settings)

    status, problem = call("POST", body={"url": "http://example.com/hook"})

    assert (status, problem["code"]) == (422, "webhook_url_invalid")
    assert "https://" in problem["detail"]


def test_endpoints_are_listed_newest_first_in_pages(call: Caller, receiver: Any) -> None:
    made = [call("POST", body={"url": f"{receiver.url}/{n}"})[1]["url"] for n in range(3)]

    _, first = call("GET", "?limit=2")
    _, second = call("GET", f"?limit=2&cursor={first['next_cursor']}")

    assert [row["url"] for row in [*first["data"], *second["data"]]] == made[::-1]
    assert second["next_cursor"] is None


def test_an_endpoint_can_be_changed(call: Caller, made: dict[str, Any]) -> None:
    changes = {"url": "https://example.com/new", "events": ["job.failed"], "description": "ours"}

    status, changed = call("PATCH", f"/{made['id']}", changes)

    assert status == 200
    assert {name: changed[name] for name in changes} == changes
    assert call("PATCH", f"/{made['id']}", {"description": None})[1]["description"] is None


def test_an_endpoint_can_be_disabled_and_enabled(call: Caller, made: dict[str, Any]) -> None:
    _, off = call("PATCH", f"/{made['id']}", {"state": "disabled"})
    _, on = call("PATCH", f"/{made['id']}", {"state": "enabled"})

    assert (off["state"], off["disabled_reason"]) == ("disabled", "by_client")
    assert (on["state"], on["disabled_reason"], on["disabled_at"]) == ("enabled", None, None)


def test_a_deleted_endpoint_is_gone(call: Caller, made: dict[str, Any]) -> None:
    assert call("DELETE", f"/{made['id']}") == (204, None)
    assert call("GET", f"/{made['id']}")[0] == 404


def test_a_test_event_arrives_and_its_attempt_can_be_read(
    sender: Any, call: Caller, made: dict[str, Any], receiver: Any
) -> None:
    status, delivery = call("POST", f"/{made['id']}/test")
    assert (status, delivery["state"], delivery["type"]) == (202, "pending", "endpoint.test")

    sender.deliver(UUID(delivery["id"]))

    [request] = receiver.received
    Webhook(made["secret"]).verify(request.body, request.headers)
    path = f"/{made['id']}/deliveries/{delivery['id']}"
    _, read = call("GET", path)
    assert (read["state"], read["next_attempt_at"]) == ("delivered", None)
    assert read["payload"]["data"] == {"webhook_endpoint_id": made["id"]}
    [attempt] = call("GET", f"{path}/attempts")[1]["data"]
    assert (attempt["status_code"], attempt["response_excerpt"]) == (200, "thank you")
    assert attempt["error"] is None


def test_an_attempt_that_reached_nobody_says_why(
    sender: Any, call: Caller, made: dict[str, Any]
) -> None:
    call("PATCH", f"/{made['id']}", {"url": "http://127.0.0.1:9/"})
    _, delivery = call("POST", f"/{made['id']}/test")
    sender.deliver(UUID(delivery["id"]))

    _, attempts = call("GET", f"/{made['id']}/deliveries/{delivery['id']}/attempts")

    [attempt] = attempts["data"]
    assert attempt["status_code"] is None
    assert attempt["error"]["code"] == "webhook_unreachable"
    assert "refused" in attempt["error"]["message"]


def test_a_test_event_for_a_disabled_endpoint_is_refused(
    call: Caller, made: dict[str, Any]
) -> None:
    call("PATCH", f"/{made['id']}", {"state": "disabled"})

    status, problem = call("POST", f"/{made['id']}/test")

    assert (status, problem["code"]) == (409, "webhook_endpoint_disabled")


def test_deliveries_are_listed_by_state(sender: Any, call: Caller, made: dict[str, Any]) -> None:
    moment = dt.datetime.now(dt.UTC)
    first, second = (sender.event(UUID(made["id"]), moment) for _ in range(2))
    sender.deliver(first, moment)
    sender.event(UUID(made["id"]), moment + dt.timedelta(hours=1))

    _, everything = call("GET", f"/{made['id']}/deliveries")
    _, delivered = call("GET", f"/{made['id']}/deliveries?state=delivered")

    assert len(everything["data"]) == 3
    assert {row["id"] for row in delivered["data"]} == {str(first), str(second)}
    assert call("GET", f"/{made['id']}/deliveries?state=lost")[0] == 422


def test_a_delivery_can_be_replayed(
    sender: Any, call: Caller, made: dict[str, Any], receiver: Any
) -> None:
    event = sender.event(UUID(made["id"]), dt.datetime.now(dt.UTC))
    sender.deliver(event)

    status, replayed = call("POST", f"/{made['id']}/deliveries/{event}/replay")
    sender.deliver(event)

    assert (status, replayed["state"], replayed["attempt_count"]) == (202, "pending", 0)
    assert [request.headers["webhook-id"] for request in receiver.received] == [str(event)] * 2


def test_a_delivery_older_than_thirty_days_cannot_be_replayed(
    sender: Any, call: Caller, made: dict[str, Any]
) -> None:
    event = sender.event(UUID(made["id"]), dt.datetime.now(dt.UTC) - dt.timedelta(days=31))

    status, problem = call("POST", f"/{made['id']}/deliveries/{event}/replay")

    assert (status, problem["code"]) == (409, "delivery_not_replayable")


def test_a_rotation_shows_the_new_secret_and_says_how_long_the_old_one_signs(
    call: Caller, made: dict[str, Any]
) -> None:
    status, rotated = call("POST", f"/{made['id']}/rotate-secret")

    assert status == 200
    assert rotated["secret"] != made["secret"]
    remaining = dt.datetime.fromisoformat(rotated["previous_secret_expires_at"]) - dt.datetime.now(
        dt.UTC
    )
    assert dt.timedelta(hours=23) < remaining <= dt.timedelta(hours=24)


def test_a_repeated_rotation_with_one_idempotency_key_rotates_once(
    call: Caller, made: dict[str, Any]
) -> None:
    first = call("POST", f"/{made['id']}/rotate-secret", Idempotency_Key="rotate-1")
    again = call("POST", f"/{made['id']}/rotate-secret", Idempotency_Key="rotate-1")

    assert first == again


ROUTES = [
    ("GET", ""),
    ("PATCH", ""),
    ("DELETE", ""),
    ("POST", "/test"),
    ("POST", "/rotate-secret"),
    ("GET", "/deliveries"),
    ("GET", f"/deliveries/{UNKNOWN}"),
    ("GET", f"/deliveries/{UNKNOWN}/attempts"),
    ("POST", f"/deliveries/{UNKNOWN}/replay"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_foreign_tenants_endpoint_is_not_found(
    sender: Any, made: dict[str, Any], method: str, path: str
) -> None:
    stranger = new_id()
    with owner_transaction() as session:
        session.add(Tenant(id=stranger, name=f"tenant {stranger}"))
    call = Caller(sender.app, stranger)

    status, problem = call(method, f"/{made['id']}{path}", {} if method == "PATCH" else None)

    assert (status, problem["code"]) == (404, "not_found")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_key_without_the_scope_is_refused(
    sender: Any, made: dict[str, Any], method: str, path: str
) -> None:
    call = Caller(sender.app, sender.tenant_id, Scope.JOBS_WRITE)

    assert call(method, f"/{made['id']}{path}")[0] == 403


def test_secrets_are_in_no_other_answer(call: Caller, made: dict[str, Any]) -> None:
    answers = [
        call("GET"),
        call("GET", f"/{made['id']}"),
        call("PATCH", f"/{made['id']}", {"description": "x"}),
        call("POST", f"/{made['id']}/test"),
        call("GET", f"/{made['id']}/deliveries"),
    ]

    assert all("whsec_" not in str(answer) for answer in answers)
