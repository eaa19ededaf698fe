"""Keys that open nothing leave events: whose key it was, from where, but not what was presented."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import Row, text

from app.database.transactions import owner_transaction
from app.domain.identifiers import INSTALLATION
from app.domain.names import Scope
from app.models.api_key import ApiKey
from app.web.client_address import network_of
from tests.factories.callers import Caller


def _refusals(tenant_id: UUID) -> list[Row[Any]]:
    with owner_transaction() as session:
        query = "SELECT * FROM audit_events WHERE tenant_id = :id AND action = 'api_key.refused'"
        return list(session.execute(text(query + " ORDER BY id"), {"id": tenant_id}).all())


def _key_id(api: Caller) -> UUID:
    with owner_transaction() as session:
        return session.query(ApiKey).filter_by(tenant_id=api.tenant_id).one().id


def test_a_key_without_the_scope_is_recorded_once_a_minute(api: Caller) -> None:
    narrow = api.with_scopes(Scope.JOBS_READ)
    for _ in range(3):
        assert narrow.get("/collections", headers={"X-Request-Id": "r-00000001"}).status_code == 403

    [event] = _refusals(api.tenant_id)
    assert event.actor_key_id is not None
    assert event.detail["code"] == "forbidden"
    assert Scope.COLLECTIONS_READ in event.detail["reason"]
    assert (event.actor_address, event.request_id) == ("127.0.0.1", "r-00000001")


def test_two_keys_are_recorded_each(api: Caller) -> None:
    for _ in range(2):
        api.with_scopes(Scope.JOBS_READ).get("/collections")

    assert len({event.actor_key_id for event in _refusals(api.tenant_id)}) == 2


def test_a_revoked_key_is_recorded_with_its_tenant(api: Caller) -> None:
    key_id = _key_id(api)
    with owner_transaction() as session:
        revoked = {"revoked_at": dt.datetime.now(dt.UTC)}
        session.query(ApiKey).filter_by(id=key_id).update(revoked)
    assert api.get("/jobs").status_code == 401

    [event] = _refusals(api.tenant_id)
    assert event.actor_key_id == key_id
    assert "revoked" in event.detail["reason"]


def test_a_wrong_secret_for_a_key_of_ours_is_recorded_with_its_tenant(api: Caller) -> None:
    forged = Caller(api.app, api.tenant_id, api.key[:-4] + "0000")
    assert forged.get("/jobs").status_code == 401

    [event] = _refusals(api.tenant_id)
    assert event.actor_key_id == _key_id(api)
    assert forged.key not in json.dumps(event.detail)


def test_what_is_no_key_of_ours_is_recorded_once_a_minute_for_its_address(app: Flask) -> None:
    before = len(_refusals(INSTALLATION))
    for number in range(3):
        answer = app.test_client().get(
            "/api/v1/jobs",
            headers={"Authorization": f"Bearer my-password-{number}"},
            environ_overrides={"REMOTE_ADDR": "192.0.2.77"},
        )
        assert answer.status_code == 401

    events = _refusals(INSTALLATION)[before:]
    assert [(event.actor_address, event.actor_key_id) for event in events] == [("192.0.2.77", None)]
    assert "my-password" not in json.dumps(events[0].detail)


def test_a_request_without_any_key_is_not_recorded(app: Flask) -> None:
    before = len(_refusals(INSTALLATION))
    headers = {"X-Forwarded-For": "192.0.2.78"}
    assert app.test_client().get("/api/v1/jobs", headers=headers).status_code == 401

    assert len(_refusals(INSTALLATION)) == before


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
    ],
)
def test_a_network_of_ipv6_counts_as_one_address(one: str, other: str, *, together: bool) -> None:
    assert (network_of(one) == network_of(other)) is together
