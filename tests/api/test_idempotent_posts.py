"""Every POST with an Idempotency-Key, found from the routes: it is done once, and only once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from app.database.base import db
from app.database.transactions import owner_transaction
from app.domain.identifiers import new_id
from app.domain.names import Scope
from app.models.webhook_delivery import WebhookDelivery
from app.web.auth import PUBLIC_ENDPOINTS
from tests.factories.callers import Caller
from tests.factories.galleries import make_collection, make_face, make_subject
from tests.factories.images import png
from tests.factories.jobs import PLACE, close_item, make_job
from tests.factories.presigned import presign, send

Body = dict[str, Any]


@dataclass(frozen=True)
class Post:
    """A call that has an effect, and another body for the same route; None: it takes none."""

    path: str
    body: Body | None = None
    other: Body | None = None

    def send(self, caller: Caller, body: Body | None) -> TestResponse:
        """Send one of the two under one key."""
        sent: dict[str, Any] = {"json": body}
        if body is not None and "file" in body:
            sent = {"data": {"file": (BytesIO(body["file"]), "a.png")}}
        return caller.post(self.path, headers={"Idempotency-Key": "one"}, **sent)


def _endpoint(api: Caller) -> str:
    made = api.post("/webhook-endpoints", json={"url": "https://example.org/hook"})
    endpoint_id: str = made.get_json()["id"]
    return endpoint_id


def _image(api: Caller) -> str:
    made = api.post("/images", data={"file": (BytesIO(png()), "a.png")})
    image_id: str = made.get_json()["id"]
    return image_id


def _upload(_api: Caller) -> Post:
    return Post("/images", {"file": png()}, {"file": png(30, 30)})


def _complete(api: Caller) -> Post:
    presigned = presign(api, png())
    assert send(presigned, png()) == 200
    return Post(f"/images/{presigned['id']}/complete")


def _redrive(api: Caller) -> Post:
    job_id = make_job(api.tenant_id)
    close_item(job_id, 0, error="no_face")
    return Post(f"/jobs/{job_id}/redrive", {"codes": ["no_face"]}, {"codes": ["x"]})


def _rotate_key(api: Caller) -> Post:
    made = api.post("/api-keys", json={"name": "other", "scopes": ["jobs:read"]}).get_json()
    path = f"/api-keys/{made['id']}/rotate"
    return Post(path, {"overlap_hours": 1}, {"overlap_hours": 2})


def _new_subject(api: Caller) -> Post:
    path = f"/collections/{make_collection(api.tenant_id).id}/subjects"
    return Post(path, {"external_id": "ada"}, {"external_id": "bob"})


def _delete_subjects(api: Caller) -> Post:
    collection = make_collection(api.tenant_id)
    make_face(collection, make_subject(collection, "ada"))
    path = f"/collections/{collection.id}/subjects/delete"
    return Post(path, {"external_ids": ["ada"]}, {"external_ids": ["bob"]})


def _delete_faces(api: Caller) -> Post:
    collection = make_collection(api.tenant_id)
    face = make_face(collection, None)
    path = f"/collections/{collection.id}/faces/delete"
    return Post(path, {"ids": [str(face.id)]}, {"ids": [str(new_id())]})


def _replay(api: Caller) -> Post:
    endpoint_id, delivery_id = UUID(_endpoint(api)), new_id()
    with owner_transaction() as session:
        session.add(
            WebhookDelivery(
                id=delivery_id,
                tenant_id=api.tenant_id,
                endpoint_id=endpoint_id,
                type="endpoint.test",
                payload="{}",
            )
        )
        session.flush()
    return Post(f"/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/replay")


_ITEM = {"custom_id": "a", "image": f"{PLACE}a.jpg"}
_KEY = {"name": "new", "scopes": ["jobs:read"]}
_HOOK = {"url": "https://example.org/hook"}
_PROMISE = {"content_type": "image/png", "bytes": 9}

POSTS: dict[str, Callable[[Caller], Post]] = {
    "api-keys.create_api_key": lambda _: Post("/api-keys", _KEY, {**_KEY, "name": "b"}),
    "api-keys.rotate_api_key": _rotate_key,
    "collections.create_collection": lambda _: Post("/collections", {"name": "a"}, {"name": "b"}),
    "images.upload_image": _upload,
    "images.presign_image": lambda _: Post("/images/presign", _PROMISE, {**_PROMISE, "bytes": 8}),
    "images.complete_image": _complete,
    "images.delete_images": lambda api: Post(
        "/images/delete", {"ids": [_image(api)]}, {"ids": [str(new_id())]}
    ),
    "jobs.submit_job": lambda _: Post(
        "/jobs",
        {"operation": "detect", "items": [_ITEM]},
        {"operation": "detect", "items": [{**_ITEM, "custom_id": "b"}]},
    ),
    "jobs.cancel_job": lambda api: Post(f"/jobs/{make_job(api.tenant_id)}/cancel"),
    "jobs.redrive_job": _redrive,
    "subjects.create_subject": _new_subject,
    "subjects.delete_subjects": _delete_subjects,
    "subjects.delete_faces": _delete_faces,
    "webhook-endpoints.create_endpoint": lambda _: Post(
        "/webhook-endpoints", _HOOK, {**_HOOK, "description": "b"}
    ),
    "webhook-endpoints.send_test_event": lambda api: Post(
        f"/webhook-endpoints/{_endpoint(api)}/test"
    ),
    "webhook-endpoints.rotate_secret": lambda api: Post(
        f"/webhook-endpoints/{_endpoint(api)}/rotate-secret"
    ),
    "webhook-endpoints.replay_delivery": _replay,
}
# Whose answers nobody else may read, and we only for ten minutes.
SECRET = {
    "api-keys.create_api_key",
    "api-keys.rotate_api_key",
    "images.presign_image",
    "webhook-endpoints.create_endpoint",
    "webhook-endpoints.rotate_secret",
}
every_post = pytest.mark.parametrize("route", POSTS)


def state_of(api: Caller) -> dict[str, str | None]:
    """All that is kept of a tenant, but when its keys were used."""
    tables = [table.name for table in db.metadata.sorted_tables if "tenant_id" in table.columns]
    row = "to_jsonb(t) - 'last_used_at' - 'last_used_address'"
    statement = "SELECT md5(string_agg(({row})::text, ',' ORDER BY ({row})::text)) FROM {table} t"
    with owner_transaction() as session:
        return {
            table: session.execute(
                text(statement.format(row=row, table=table) + " WHERE tenant_id = :id"),
                {"id": api.tenant_id},
            ).scalar()
            for table in tables
        }


def code_of(response: TestResponse) -> tuple[int, str]:
    return response.status_code, response.get_json()["code"]


def test_no_post_is_left_out(app: Flask) -> None:
    routes = {
        rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or set())
    }
    assert routes - PUBLIC_ENDPOINTS == set(POSTS)


@every_post
def test_sent_again_it_is_answered_as_before_and_does_nothing(api: Caller, route: str) -> None:
    post = POSTS[route](api)
    before = state_of(api)
    first = post.send(api, post.body)
    done = state_of(api)

    again = post.send(api, post.body)

    assert first.status_code < 300, first.get_json()
    assert done != before
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert again.headers.get("Location") == first.headers.get("Location")
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (
        None,
        "true",
    )
    assert state_of(api) == done


@every_post
def test_another_request_under_its_key_is_refused_and_does_nothing(api: Caller, route: str) -> None:
    post, same_rights = POSTS[route](api), api.with_scopes(Scope.ADMIN)
    post.send(api, post.body)
    done = state_of(api)
    elsewhere = Post("/collections" if post.path != "/collections" else "/jobs")

    others = [
        post.send(api, post.other or {"x": 1}),
        post.send(same_rights, post.body),
        elsewhere.send(api, post.body),
    ]

    assert {code_of(response) for response in others} == {(422, "idempotency_key_reused")}
    assert state_of(api) == done


@every_post
def test_whoever_may_not_ask_gets_no_replay(
    app: Flask, api: Caller, stranger: Caller, route: str
) -> None:
    post = POSTS[route](api)
    first = post.send(api, post.body)
    required = vars(app.view_functions[route])["required_scope"]
    lesser = api.with_scopes(*(s for s in Scope if s not in {required, Scope.ADMIN}))

    refused = post.send(lesser, post.body)
    theirs = post.send(stranger, post.body)

    assert code_of(refused) == (403, "forbidden")
    assert "Idempotent-Replayed" not in theirs.headers
    assert theirs.data != first.data


@every_post
def test_only_an_answer_that_shows_a_secret_ends_after_ten_minutes(api: Caller, route: str) -> None:
    post = POSTS[route](api)
    first = post.send(api, post.body)
    with owner_transaction() as session:
        values = {"id": api.tenant_id}
        kept = session.execute(
            text("SELECT body FROM idempotency_keys WHERE tenant_id = :id"), values
        ).scalar_one()
        session.execute(
            text(
                "UPDATE idempotency_keys SET secret_until = now() WHERE tenant_id = :id "
                "AND secret_until IS NOT NULL"
            ),
            values,
        )

    again = post.send(api, post.body)

    assert (bytes(kept) == first.data) == (route not in SECRET)
    if route in SECRET:
        assert code_of(again) == (409, "secret_already_shown")
    else:
        assert again.data == first.data
