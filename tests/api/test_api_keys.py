from __future__ import annotations

import pytest

from app.domain.names import Scope
from tests.factories.callers import Caller


def test_a_key_is_shown_once_and_works(api: Caller) -> None:
    response = api.post("/api-keys", json={"name": "reader", "scopes": ["jobs:read"]})
    assert response.status_code == 201
    key = response.get_json()
    reader = Caller(api.app, api.tenant_id, key["key"])
    assert reader.get("/jobs").status_code == 200
    assert reader.get("/collections").status_code == 403
    listed = api.get("/api-keys").get_json()["data"]
    assert listed[0] == {name: value for name, value in key.items() if name != "key"}
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
