from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.factories.callers import Caller
from tests.factories.galleries import make_collection, make_face, make_subject


def test_an_event_names_the_key_and_the_request_behind_it(api: Caller) -> None:
    created = api.post(
        "/collections", json={"name": "a"}, headers={"X-Request-Id": "request-0001"}
    ).get_json()
    event = api.get("/audit-events").get_json()["data"][0]
    assert event["action"] == "collection.created"
    assert (event["target_type"], event["target_id"]) == ("collection", created["id"])
    assert event["request_id"] == "request-0001"
    own_key = api.get("/api-keys").get_json()["data"][0]["id"]
    assert event["actor_key_id"] == own_key


def _change_collection(api: Caller) -> None:
    api.patch(f"/collections/{make_collection(api.tenant_id).id}", json={"name": "b"})


def _delete_collection(api: Caller) -> None:
    api.delete(f"/collections/{make_collection(api.tenant_id).id}")


def _delete_subject(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    api.delete(f"/collections/{collection.id}/subjects/{make_subject(collection).id}")


def _read_faces(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    api.get(f"/collections/{collection.id}/subjects/{make_subject(collection).id}/faces")


def _delete_face(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    api.delete(f"/collections/{collection.id}/faces/{make_face(collection, None).id}")


@pytest.mark.parametrize(
    ("act", "action"),
    [
        (_change_collection, "collection.updated"),
        (_delete_collection, "collection.deleted"),
        (_delete_subject, "subject.deleted"),
        (_read_faces, "subject.faces_read"),
        (_delete_face, "face.deleted"),
    ],
)
def test_changes_and_biometric_reads_are_recorded(
    api: Caller, act: Callable[[Caller], None], action: str
) -> None:
    act(api)
    assert api.get("/audit-events").get_json()["data"][0]["action"] == action


def test_a_clients_name_for_a_person_is_not_recorded(api: Caller) -> None:
    collection = make_collection(api.tenant_id)
    path = f"/collections/{collection.id}/subjects"
    subject = api.post(path, json={"external_id": "jane-doe"}).get_json()
    api.patch(f"{path}/{subject['id']}", json={"external_id": "jane-roe"})
    assert "jane" not in api.get("/audit-events").get_data(as_text=True)


def test_a_refused_change_leaves_no_event(api: Caller) -> None:
    api.post("/collections", json={"name": "a"})
    api.post("/collections", json={"name": "a"})
    assert _actions(api).count("collection.created") == 1


def test_the_operator_may_switch_the_log_off(
    app: Flask, api: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = app.config["SETTINGS"]
    quiet = settings.model_copy(update={"enable_audit_logging": False})
    monkeypatch.setitem(app.config, "SETTINGS", quiet)
    api.post("/collections", json={"name": "a"})
    assert "collection.created" not in _actions(api)


def _actions(api: Caller) -> list[str]:
    return [event["action"] for event in api.get("/audit-events").get_json()["data"]]
