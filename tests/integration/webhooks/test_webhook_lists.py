"""Lists of endpoints, deliveries and attempts are read from either end."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import pytest
from flask import Flask

from app.database.transactions import owner_transaction
from app.domain.identifiers import new_id
from app.models.webhook_delivery import WebhookAttempt, WebhookDelivery
from tests.factories.callers import Caller, make_caller

pytestmark = pytest.mark.stack


@pytest.fixture
def api(app: Flask) -> Caller:
    return make_caller(app)


def endpoint(api: Caller, number: int = 0) -> str:
    url = f"https://example.org/hook-{number}"
    made: str = api.post("/webhook-endpoints", json={"url": url}).get_json()["id"]
    return made


def test_endpoints(api: Caller) -> None:
    made = [endpoint(api, number) for number in range(3)]
    assert_either_end(api, "/webhook-endpoints", made)


def test_deliveries_and_those_of_a_state(api: Caller) -> None:
    path = f"/webhook-endpoints/{endpoint(api)}"
    made = [api.post(f"{path}/test").get_json()["id"] for _ in range(3)]
    assert_either_end(api, f"{path}/deliveries", made)
    assert_either_end(api, f"{path}/deliveries", made, "state=pending&")


def test_attempts(api: Caller) -> None:
    endpoint_id, delivery_id = endpoint(api), new_id()
    with owner_transaction() as session:
        session.add(
            WebhookDelivery(
                id=delivery_id,
                tenant_id=api.tenant_id,
                endpoint_id=UUID(endpoint_id),
                type="endpoint.test",
                payload="{}",
            )
        )
        session.flush()
        for status in (500, 502, 204):
            session.add(
                WebhookAttempt(
                    id=new_id(),
                    tenant_id=api.tenant_id,
                    delivery_id=delivery_id,
                    attempted_at=dt.datetime.now(dt.UTC),
                    status_code=status,
                    duration_ms=1,
                )
            )
        session.flush()
    path = f"/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/attempts"
    assert_either_end(api, path, [500, 502, 204], member="status_code")


def assert_either_end(
    api: Caller, path: str, made: list[object], query: str = "", member: str = "id"
) -> None:
    """The list in either order, page by page, and newest first where nothing is said."""
    assert [row[member] for row in api.get(f"{path}?{query}").get_json()["data"]] == made[::-1]
    for order, expected in (("asc", made), ("desc", made[::-1])):
        first = api.get(f"{path}?{query}order={order}&limit=2").get_json()
        rest = api.get(f"{path}?{query}order={order}&limit=2&cursor={first['next_cursor']}")
        rows = first["data"] + rest.get_json()["data"]
        assert [row[member] for row in rows] == expected
