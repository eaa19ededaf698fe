"""What belongs to one tenant is not there for another: 404, never 403, on every route."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app.database.transactions import owner_transaction
from app.domain.identifiers import new_id
from app.models.webhook_delivery import WebhookDelivery
from app.web.auth import PUBLIC_ENDPOINTS
from tests.factories.callers import Caller
from tests.factories.galleries import make_collection, make_subject
from tests.factories.images import png
from tests.factories.jobs import PLACE, close_item, make_job
from tests.factories.portraits import Portrait

_BODIES = {
    "collections.update_collection": {"name": "renamed"},
    "subjects.create_subject": {"external_id": "somebody"},
    "subjects.delete_subjects": {"external_ids": ["nobody"]},
    "subjects.delete_faces": {"ids": ["01990000-0000-7000-8000-00000000000f"]},
    "subjects.update_subject": {"external_id": "renamed"},
    "subjects.update_subject_by_external_id": {"metadata": {"k": 1}},
    "webhook-endpoints.update_endpoint": {"description": "renamed"},
}

_USED = ("jobs_in_flight", "items_waiting", "storage_bytes")


@pytest.fixture
def owned(api: Caller) -> dict[str, UUID | str]:
    """One row of every kind, all of the tenant `api`, by the name that routes give its id."""
    portrait = Portrait(api)
    collection = portrait.collection
    subject = make_subject(collection)
    endpoint = api.post("/webhook-endpoints", json={"url": "https://example.org/hook"}).get_json()
    key = api.post("/api-keys", json={"name": "other", "scopes": ["jobs:read"]}).get_json()
    job_id = make_job(api.tenant_id, items=2)  # one failed, to be redriven once it is canceled
    close_item(job_id, 0, error="no_face")
    image = api.post("/images", data={"file": (BytesIO(png()), "a.png")}).get_json()
    return {
        "collection_id": collection.id,
        "subject_id": subject.id,
        "external_id": make_subject(collection).external_id,
        "face_id": portrait.face_id,
        "image_id": UUID(image["id"]),
        "job_id": job_id,
        "key_id": UUID(key["id"]),
        "endpoint_id": UUID(endpoint["id"]),
        "delivery_id": _make_delivery(api.tenant_id, UUID(endpoint["id"])),
    }


def test_a_foreign_id_answers_404_on_every_route(
    app: Flask, api: Caller, stranger: Caller, owned: dict[str, UUID | str]
) -> None:
    rules = [
        rule
        for rule in app.url_map.iter_rules()
        if rule.arguments and rule.endpoint not in PUBLIC_ENDPOINTS and rule.endpoint != "static"
    ]
    assert {name for rule in rules for name in rule.arguments} == set(owned)
    # Reads before deletions, so that a route's own row is still there when its turn comes.
    for rule in sorted(rules, key=lambda rule: "DELETE" in (rule.methods or set())):
        assert _call(stranger, app, rule, owned) == 404, f"{rule} knows a foreign tenant's id"
        if "DELETE" not in (rule.methods or set()):
            assert _call(api, app, rule, owned) < 300, f"{rule} does not know its own tenant's id"


def test_what_no_id_names_holds_nothing_of_another_tenant(
    app: Flask, api: Caller, stranger: Caller, owned: dict[str, UUID | str]
) -> None:
    rules = [
        rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or set())
        and not rule.arguments
        and rule.endpoint not in PUBLIC_ENDPOINTS
    ]
    assert {rule.endpoint for rule in rules} > {"jobs.list_jobs", "installation.get_limits"}
    shown = ""
    for rule in rules:
        path = rule.rule.removeprefix("/api/v1")
        theirs = stranger.get(path)
        assert theirs.status_code == 200
        for name, value in {**owned, "tenant_id": api.tenant_id}.items():
            assert str(value) not in theirs.get_data(as_text=True), f"{rule} tells of {name}"
        shown += api.get(path).get_data(as_text=True)
    listed = {"collection_id", "job_id", "key_id", "endpoint_id"}
    assert {name for name in listed if str(owned[name]) in shown} == listed


def test_limits_count_nothing_of_another_tenant(
    api: Caller, stranger: Caller, owned: dict[str, UUID | str]
) -> None:
    assert owned

    def used(caller: Caller) -> dict[str, int]:
        tenant = caller.get("/limits").get_json()["tenant"]
        return {name: limit["used"] for name, limit in tenant.items() if "used" in limit}

    assert {name: used(api)[name] > 0 for name in _USED} == dict.fromkeys(_USED, True)
    assert {name: used(stranger)[name] for name in _USED} == dict.fromkeys(_USED, 0)


def test_a_foreign_id_in_a_body_is_nobodys(
    api: Caller, stranger: Caller, owned: dict[str, UUID | str]
) -> None:
    ids = {name: str(value) for name, value in owned.items()}
    own = make_collection(stranger.tenant_id).id
    named = {
        "/images/delete": "image_id",
        f"/collections/{own}/subjects/delete": "subject_id",
        f"/collections/{own}/faces/delete": "face_id",
    }
    for path, name in named.items():
        answer = stranger.post(path, json={"ids": [ids[name]]}).get_json()
        assert answer == {"deleted": [], "not_found": [ids[name]]}, path
    mine = f"/collections/{ids['collection_id']}"
    for path in (f"{mine}/subjects/{ids['subject_id']}", f"{mine}/faces/{ids['face_id']}/crop"):
        assert api.get(path).status_code == 200


@pytest.mark.parametrize("member", ["image_id", "reference_id"])
def test_a_job_does_not_read_anothers_upload(
    stranger: Caller, owned: dict[str, UUID | str], member: str
) -> None:
    item = {"custom_id": "a", "image": f"{PLACE}a.jpg", "reference": f"{PLACE}b.jpg"}
    del item[member.removesuffix("_id")]
    item[member] = str(owned["image_id"])
    job = stranger.post("/jobs", json={"operation": "verify", "items": [item]}).get_json()
    assert job["errors_by_code"] == {"image_not_found": 1}


def test_a_job_tells_no_endpoint_of_another(stranger: Caller, owned: dict[str, UUID | str]) -> None:
    item = {"custom_id": "a", "image": f"{PLACE}a.jpg"}
    job = {"operation": "detect", "items": [item], "webhook_endpoint_id": owned["endpoint_id"]}
    assert stranger.post("/jobs", json=job).status_code == 404


def test_a_job_cannot_name_anothers_collection(
    stranger: Caller, owned: dict[str, UUID | str]
) -> None:
    response = stranger.post(
        "/jobs",
        json={
            "operation": "identify",
            "collection_id": str(owned["collection_id"]),
            "items": [{"custom_id": "a", "image": "s3://photos/a.jpg"}],
        },
    )
    assert response.status_code == 404


def _call(caller: Caller, app: Flask, rule: Rule, ids: dict[str, UUID | str]) -> int:
    with app.test_request_context():
        url = app.url_for(rule.endpoint, **{name: ids[name] for name in rule.arguments})
    (method,) = (rule.methods or set()) - {"HEAD", "OPTIONS"}
    body = _BODIES.get(rule.endpoint)
    sent = {} if body is None else {"json": body}
    return caller.send(method, url.removeprefix("/api/v1"), **sent).status_code


def _make_delivery(tenant_id: UUID, endpoint_id: UUID) -> UUID:
    delivery_id = new_id()
    with owner_transaction() as session:
        session.add(
            WebhookDelivery(
                id=delivery_id,
                tenant_id=tenant_id,
                endpoint_id=endpoint_id,
                type="endpoint.test",
                payload="{}",
            )
        )
        session.flush()
    return delivery_id
