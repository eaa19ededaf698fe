"""Keys that work from some addresses alone, and what such keys can make."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from werkzeug.test import TestResponse

from app import create_app
from app.config import load_settings
from app.database.transactions import owner_transaction
from tests.factories.callers import Caller

OFFICE = "203.0.113.0/24"
DESK, CAFE, PROXY = "203.0.113.9", "198.51.100.1", "10.0.0.1"


@dataclass(frozen=True)
class Somewhere(Caller):
    """A client whose connection comes from an address."""

    address: str = DESK

    def send(self, method: str, path: str, **request: Any) -> TestResponse:
        return super().send(
            method, path, environ_overrides={"REMOTE_ADDR": self.address}, **request
        )


def made(api: Caller, **wishes: object) -> dict[str, Any]:
    answer = api.post("/api-keys", json={"name": "n", "scopes": ["admin"], **wishes})
    assert answer.status_code == 201, answer.get_json()
    key: dict[str, Any] = answer.get_json()
    return key


def at(api: Caller, address: str, key: dict[str, Any]) -> Somewhere:
    return Somewhere(api.app, api.tenant_id, key["key"], address)


def refusal(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


@pytest.fixture
def office(api: Caller) -> Somewhere:
    """Whoever works in the office, with a key that works there alone."""
    return at(api, DESK, made(api, allowed_addresses=[OFFICE]))


def test_a_key_with_a_list_works_from_there_alone(api: Caller) -> None:
    key = made(api, allowed_addresses=[OFFICE, "2001:db8::/48"])
    for inside in (DESK, "2001:db8::1"):
        assert at(api, inside, key).get("/jobs").status_code == 200
    for outside in (CAFE, "203.0.114.9", "2001:db8:1::1", ""):
        refused = at(api, outside, key).get("/jobs")
        assert refusal(refused) == (403, "address_not_allowed")
        assert outside in refused.get_json()["detail"]


def test_a_key_without_a_list_works_from_anywhere(api: Caller) -> None:
    key = made(api)
    assert key["allowed_addresses"] is None
    assert at(api, CAFE, key).get("/jobs").status_code == 200


@pytest.mark.parametrize("client", ["::ffff:203.0.113.9", "::ffff:cb00:7109"])
def test_a_client_of_ipv4_is_known_by_it_in_ipv6_too(api: Caller, client: str) -> None:
    assert at(api, client, made(api, allowed_addresses=[OFFICE])).get("/jobs").status_code == 200
    for listed in ("::/0", "2001:db8::/32"):
        key = made(api, allowed_addresses=[listed])
        assert at(api, client, key).get("/jobs").status_code == 403


def test_what_a_client_claims_to_forward_does_not_let_it_in(api: Caller) -> None:
    behind = create_app(load_settings(trusted_proxies=("10.0.0.0/8",)))
    key = made(api, allowed_addresses=[OFFICE])["key"]

    def status(peer: str, told: str) -> int:
        headers = {"X-Forwarded-For": told}
        client = Somewhere(behind, api.tenant_id, key, peer)
        return client.get("/jobs", headers=headers).status_code

    assert status(CAFE, DESK) == 403  # no proxy of ours
    assert status(PROXY, f"{DESK}, {CAFE}") == 403  # told the proxy itself
    assert status(PROXY, f"{DESK}, {CAFE}, 10.0.0.7") == 403
    assert status(PROXY, "nonsense") == 403
    assert status(PROXY, DESK) == 200
    assert status(PROXY, f"{CAFE}, ::ffff:{DESK}") == 200


def test_the_list_is_shown_in_its_shortest_spelling(api: Caller) -> None:
    entries = ["203.0.113.0/255.255.255.0", "2001:DB8:0::/48", "::ffff:192.0.2.0/120", "192.0.2.1"]
    shown = ["203.0.113.0/24", "2001:db8::/48", "192.0.2.0/24", "192.0.2.1/32"]
    key = made(api, allowed_addresses=entries)
    assert key["allowed_addresses"] == shown
    assert api.get("/api-keys").get_json()["data"][0]["allowed_addresses"] == shown
    assert at(api, DESK, key).get("/me").get_json()["allowed_addresses"] == shown


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ([], "/allowed_addresses"),
        (["203.0.113.9/24"], "/allowed_addresses/0"),
        (["office.example"], "/allowed_addresses/0"),
        ([OFFICE, "fe80::1%eth0"], "/allowed_addresses/1"),
        ([3405803776], "/allowed_addresses/0"),
        ([OFFICE] * 51, "/allowed_addresses"),
    ],
    ids=["empty", "bits", "name", "zone", "number", "many"],
)
def test_a_list_that_makes_no_sense_is_refused(
    api: Caller, wrong: list[object], pointer: str
) -> None:
    body = {"name": "n", "scopes": ["jobs:read"], "allowed_addresses": wrong}
    answer = api.post("/api-keys", json=body)
    assert refusal(answer) == (422, "validation_failed")
    assert answer.get_json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("wish", [{}, {"allowed_addresses": None}], ids=["left out", "null"])
def test_what_a_key_with_a_list_makes_has_its_list(
    office: Somewhere, wish: dict[str, object]
) -> None:
    assert made(office, **wish)["allowed_addresses"] == [OFFICE]


def test_a_key_with_a_list_makes_none_with_a_wider_one(office: Somewhere) -> None:
    for wider in ([CAFE], ["203.0.112.0/23"], [DESK, CAFE], ["0.0.0.0/0"], ["::/0"]):
        body = {"name": "n", "scopes": ["jobs:read"], "allowed_addresses": wider}
        answer = office.post("/api-keys", json=body)
        assert refusal(answer) == (403, "api_key_addresses_forbidden")
        assert answer.get_json()["errors"][0]["pointer"] == "/allowed_addresses"
    narrower = ["203.0.113.0/25", "203.0.113.128/25", DESK]
    assert made(office, allowed_addresses=narrower)["allowed_addresses"][0] == narrower[0]


def test_a_rotated_key_keeps_its_list(api: Caller, office: Somewhere) -> None:
    own = api.get("/api-keys").get_json()["data"][0]["id"]
    for caller in (api, office):
        successor = caller.post(f"/api-keys/{own}/rotate", json={})
        assert successor.status_code == 201
        assert successor.get_json()["allowed_addresses"] == [OFFICE]
        assert at(api, CAFE, successor.get_json()).get("/jobs").status_code == 403


def test_a_key_with_a_list_rotates_none_that_works_elsewhere(
    api: Caller, office: Somewhere
) -> None:
    for wider in (None, [OFFICE, CAFE]):
        key = made(api, allowed_addresses=wider)
        answer = office.post(f"/api-keys/{key['id']}/rotate", json={})
        assert refusal(answer) == (403, "api_key_addresses_forbidden")
        assert at(api, CAFE, key).get("/jobs").status_code == 200


def test_a_key_from_elsewhere_leaves_an_event_of_its_tenant_once_a_minute(api: Caller) -> None:
    key = made(api, allowed_addresses=[OFFICE])
    for _ in range(3):
        at(api, CAFE, key).get("/jobs")
    with owner_transaction() as session:
        query = "SELECT * FROM audit_events WHERE tenant_id = :id AND action = 'api_key.refused'"
        [event] = session.execute(text(query), {"id": api.tenant_id}).all()
    assert (str(event.actor_key_id), event.actor_address) == (key["id"], CAFE)
    assert event.detail["code"] == "address_not_allowed"


def test_keys_from_elsewhere_are_counted_and_slowed_down(api: Caller) -> None:
    def counted() -> list[float]:
        name = "face_recognition_refused_keys_total"
        found = (REGISTRY.get_sample_value(name, {"status": s}) for s in ("401", "403", "429"))
        return [each or 0 for each in found]

    address = str(IPv6Address(int.from_bytes(b"\x20\x01\x0d\xb8") << 96 | uuid4().int >> 32))
    client, before = at(api, address, made(api, allowed_addresses=[OFFICE])), counted()
    answers = [client.get("/jobs").status_code for _ in range(22)]
    assert answers == [403] * 20 + [429] * 2
    assert [now - then for now, then in zip(counted(), before, strict=True)] == [0, 20, 2]


def test_a_wrong_secret_says_nothing_of_the_list(api: Caller) -> None:
    key = made(api, allowed_addresses=[OFFICE])
    forged = {"key": key["key"][:-4] + "0000"}
    assert at(api, CAFE, forged).get("/jobs").status_code == 401
