from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from flask import Flask

from app.database.transactions import tenant_transaction
from app.domain.actor import Actor
from app.services.tenancy.record_audit import record_audit
from app.services.upkeep.chain_audit import chain_events
from tests.factories.callers import Caller
from tests.factories.galleries import make_collection, make_face, make_subject
from tests.support.processes import wait_until


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


def test_an_event_says_from_where_and_its_place_in_the_chain(api: Caller) -> None:
    caller = {"REMOTE_ADDR": "192.0.2.7"}
    api.post("/collections", json={"name": "a"}, environ_overrides=caller)
    event = api.get("/audit-events").get_json()["data"][0]
    assert (event["actor_address"], event["actor_name"]) == ("192.0.2.7", None)
    assert (event["chain_no"], event["chain_hash"]) == (None, None)

    wait_until(partial(_chained, api), what="the event's place in the chain")
    event = api.get("/audit-events").get_json()["data"][0]
    assert event["chain_no"] == len(_actions(api))
    assert len(bytes.fromhex(event["chain_hash"])) == 32


def test_others_can_verify_a_chain_with_the_program_of_the_page(api: Caller) -> None:
    for name in ("a", 'ä \x1f "b"'):
        collection = api.post("/collections", json={"name": name}).get_json()
        api.patch(f"/collections/{collection['id']}", json={"threshold": 0.05})
    with tenant_transaction(api.tenant_id) as session:
        detail = {"tiny": 1e-7, "whole": 1.0, "words": ["\n", "ü", {"a\\": None}]}
        record_audit(session, api.tenant_id, Actor(name="ä"), "test.odd", "test", None, detail)
    wait_until(partial(_chained, api), what="the events' places in the chain")
    events = api.get("/audit-events").get_json()["data"][::-1]

    assert _verified(api, events) == events[-1]["chain_hash"]
    events[2]["actor_address"] = "198.51.100.1"
    assert _verified(api, events) == "event 3 is not what was chained"


def _verified(api: Caller, events: list[dict[str, object]]) -> str:
    program = Path("docs/audit.md").read_text().split("<!-- verifier -->\n```python\n")[1]
    ended = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program.split("\n```")[0], str(api.tenant_id)],
        input="".join(json.dumps(event) + "\n" for event in events),
        check=False,
        capture_output=True,
        text=True,
    )
    return (ended.stdout or ended.stderr).strip()


def _chained(api: Caller) -> bool:
    chain_events()
    events = api.get("/audit-events").get_json()["data"]
    return all(event["chain_no"] for event in events)


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
