from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.database.transactions import owner_transaction
from app.domain.names import Scope
from app.models.api_key import ApiKey
from tests.factories.callers import Caller
from tests.support.processes import wait_until

READER = {"name": "reader", "scopes": ["jobs:read"]}


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def in_days(days: float) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(days=days)


@pytest.fixture
def setting(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Changes settings of the application for one test."""

    def change(**values: object) -> None:
        settings = app.config["SETTINGS"].model_copy(update=values)
        monkeypatch.setitem(app.config, "SETTINGS", settings)

    return change


def test_a_key_is_shown_once_and_works(api: Caller) -> None:
    response = api.post("/api-keys", json={"name": "reader", "scopes": ["jobs:read"]})
    assert response.status_code == 201
    key = response.get_json()
    reader = Caller(api.app, api.tenant_id, key["key"])
    assert reader.get("/jobs").status_code == 200
    assert reader.get("/collections").status_code == 403
    listed = api.get("/api-keys").get_json()["data"][0]
    del listed["last_used_at"]  # it was used since
    assert listed == {n: value for n, value in key.items() if n not in {"key", "last_used_at"}}
    assert key["key"] not in api.get("/api-keys").get_data(as_text=True)


def test_a_key_cannot_grant_a_scope_that_it_lacks(api: Caller) -> None:
    narrow = api.with_scopes(Scope.KEYS_WRITE, Scope.JOBS_READ)
    wanted = {"name": "n", "scopes": ["jobs:read", "jobs:write", "admin"]}
    response = narrow.post("/api-keys", json=wanted)
    assert response.status_code == 403
    assert [e["pointer"] for e in response.get_json()["errors"]] == ["/scopes/1", "/scopes/2"]
    assert narrow.post("/api-keys", json={**wanted, "scopes": ["jobs:read"]}).status_code == 201


def test_a_revoked_key_stops_working_and_stays_in_the_list(api: Caller) -> None:
    key = api.post("/api-keys", json={"name": "n", "scopes": ["jobs:read"]}).get_json()
    for _ in range(2):
        assert api.delete(f"/api-keys/{key['id']}").status_code == 204
    assert Caller(api.app, api.tenant_id, key["key"]).get("/jobs").status_code == 401
    assert api.get("/api-keys").get_json()["data"][0]["revoked_at"] is not None


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["jobs:rule"]}, "/scopes/0"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "2030-01-01T00:00:00"}, "/expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, "/expires_at"),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, "/expires_at"),
        ({"name": ""}, "/name"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(
    api: Caller, wrong: dict[str, object], pointer: str
) -> None:
    response = api.post("/api-keys", json={"name": "n", "scopes": ["jobs:read"], **wrong})
    assert response.status_code == 422
    assert response.get_json()["errors"][0]["pointer"] == pointer


def test_an_expiry_is_read_with_its_offset_and_written_in_utc(api: Caller) -> None:
    wanted = {"name": "n", "scopes": ["jobs:read"], "expires_at": "2099-01-01T01:00:00+02:00"}
    assert api.post("/api-keys", json=wanted).get_json()["expires_at"] == "2098-12-31T23:00:00Z"


@pytest.mark.parametrize("wish", [{}, {"expires_at": None}])
def test_a_key_ends_after_a_year_when_nothing_is_said(api: Caller, wish: dict[str, object]) -> None:
    key = api.post("/api-keys", json={**READER, **wish}).get_json()
    assert in_days(364.9) < moment(key["expires_at"]) < in_days(365.1)


def test_the_operator_may_let_keys_live_for_ever(api: Caller, setting: Any) -> None:
    setting(api_key_days=0)
    assert api.post("/api-keys", json=READER).get_json()["expires_at"] is None


def test_a_key_that_ends_makes_none_that_outlives_it(api: Caller) -> None:
    end = in_days(1).replace(microsecond=0)
    brief = api.with_end(end)
    later = brief.post("/api-keys", json={**READER, "expires_at": in_days(2).isoformat()})
    assert (later.status_code, later.get_json()["code"]) == (403, "api_key_expiry_forbidden")
    assert later.get_json()["errors"][0]["pointer"] == "/expires_at"
    for wish in ({}, {"expires_at": None}, {"expires_at": end.isoformat()}):
        made = brief.post("/api-keys", json={**READER, **wish}).get_json()
        assert moment(made["expires_at"]) == end


def test_a_key_that_ends_makes_none_that_outlives_it_though_keys_live_for_ever(
    api: Caller, setting: Any
) -> None:
    setting(api_key_days=0)
    end = in_days(1).replace(microsecond=0)
    made = api.with_end(end).post("/api-keys", json=READER).get_json()
    assert moment(made["expires_at"]) == end


@pytest.mark.parametrize("ending", ["revoke", "rotate"])
def test_a_key_ends_only_keys_that_it_could_have_made(api: Caller, ending: str) -> None:
    narrow = api.with_scopes(Scope.KEYS_WRITE, Scope.JOBS_READ)
    wide = api.post("/api-keys", json={"name": "w", "scopes": ["jobs:write", "admin"]}).get_json()
    small = api.post("/api-keys", json=READER).get_json()

    def end(key: dict[str, Any]) -> Any:
        path = f"/api-keys/{key['id']}"
        return narrow.delete(path) if ending == "revoke" else narrow.post(f"{path}/rotate", json={})

    refused = end(wide)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "forbidden")
    assert "lacks admin, jobs:write" in refused.get_json()["detail"]
    assert api.with_key(wide["key"]).get("/jobs").status_code == 200
    assert end(small).status_code in {201, 204}


def test_a_key_may_revoke_itself(api: Caller) -> None:
    own = api.with_scopes(Scope.KEYS_WRITE)
    own_id = api.get("/api-keys").get_json()["data"][0]["id"]
    assert own.delete(f"/api-keys/{own_id}").status_code == 204
    assert own.get("/api-keys").status_code == 401


def test_a_tenant_has_only_so_many_live_keys(api: Caller, setting: Any) -> None:
    setting(max_api_keys=3)  # one makes the others
    made = [api.post("/api-keys", json=READER) for _ in range(3)]
    assert [answer.status_code for answer in made] == [201, 201, 409]
    assert made[-1].get_json()["code"] == "api_keys_limit"
    api.delete(f"/api-keys/{made[0].get_json()['id']}")
    assert api.post("/api-keys", json=READER).status_code == 201


def test_keys_made_at_once_are_counted_one_after_the_other(api: Caller, setting: Any) -> None:
    setting(max_api_keys=3)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: api.post("/api-keys", json=READER), range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409, 409, 409]


def test_a_rotated_key_works_beside_its_successor_for_a_day(api: Caller) -> None:
    old = api.post("/api-keys", json=READER).get_json()
    answer = api.post(f"/api-keys/{old['id']}/rotate", json={})
    new = answer.get_json()
    assert answer.status_code == 201
    assert (new["name"], new["scopes"]) == (old["name"], old["scopes"])
    assert new["expires_at"] == old["expires_at"]
    for key in (old, new):
        assert api.with_key(key["key"]).get("/jobs").status_code == 200
    stored = next(k for k in api.get("/api-keys").get_json()["data"] if k["id"] == old["id"])
    assert in_days(0.99) < moment(stored["expires_at"]) < in_days(1.01)


def test_a_rotation_without_overlap_ends_the_old_key_at_once(api: Caller) -> None:
    old = api.post("/api-keys", json=READER).get_json()
    api.post(f"/api-keys/{old['id']}/rotate", json={"overlap_hours": 0})
    assert api.with_key(old["key"]).get("/jobs").status_code == 401
    again = api.post(f"/api-keys/{old['id']}/rotate", json={})
    assert (again.status_code, again.get_json()["code"]) == (409, "api_key_ended")


def test_a_rotation_does_not_let_a_key_outlive_the_one_that_asks(api: Caller) -> None:
    end = in_days(1).replace(microsecond=0)
    old = api.post("/api-keys", json=READER).get_json()
    new = api.with_end(end).post(f"/api-keys/{old['id']}/rotate", json={}).get_json()
    assert moment(new["expires_at"]) == end


def test_a_key_shows_when_it_was_last_used(api: Caller) -> None:
    key = api.post("/api-keys", json=READER).get_json()
    assert key["last_used_at"] is None
    api.with_key(key["key"]).get("/jobs")
    wait_until(lambda: _last_use(key) is not None, seconds=10, what="the note of its use")
    assert in_days(-0.01) < moment(str(_last_use(key))) < in_days(0.01)
    shown = next(k for k in api.get("/api-keys").get_json()["data"] if k["id"] == key["id"])
    assert shown["last_used_at"] is not None


def test_a_use_within_the_minute_is_not_written_again(
    api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = api.post("/api-keys", json=READER).get_json()
    monkeypatch.setattr("app.services.tenancy.key_use._noted", {})
    api.with_key(key["key"]).get("/jobs")
    wait_until(lambda: _last_use(key) is not None, seconds=10, what="the note of its use")
    first = _last_use(key)
    monkeypatch.setattr("app.services.tenancy.key_use._noted", {})  # as another process
    api.with_key(key["key"]).get("/jobs")
    _drain()
    assert _last_use(key) == first


def test_neither_a_request_nor_its_note_waits_for_who_holds_the_key(
    api: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    key = api.post("/api-keys", json=READER).get_json()
    with owner_transaction() as session:
        session.execute(text("SELECT 1 FROM api_keys WHERE id = :id FOR UPDATE"), {"id": key["id"]})
        assert api.with_key(key["key"]).get("/jobs").status_code == 200
        _drain()
    assert _last_use(key) is None
    assert "key_use_not_noted" not in caplog.text


def _last_use(key: dict[str, Any]) -> dt.datetime | None:
    with owner_transaction() as session:
        return session.get_one(ApiKey, key["id"]).last_used_at


def _drain() -> None:
    """Wait until all notes so far are written or given up."""
    from app.services.tenancy import key_use

    key_use._writer.submit(lambda: None).result(10)
