"""A test event from the API's use case to the receiver, through dispatcher, broker and worker."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from app.domain.actor import SYSTEM
from app.services.webhooks.endpoints import send_test_event
from tests.support.processes import Processes, wait_until
from workers.dispatcher import Dispatcher


def test_a_test_event_reaches_the_receiver_by_way_of_the_queue(
    sender: Any, stack_receiver: Any, programs: Processes
) -> None:
    programs.ensure("dispatcher", "webhooks")
    endpoint, secret = sender.endpoint(stack_receiver.url)

    delivery = send_test_event(sender.tenant_id, endpoint, SYSTEM)
    wait_until(lambda: bool(stack_receiver.received), seconds=60, what="the delivery")
    wait_until(lambda: sender.read_delivery(delivery.id).state == "delivered", what="its record")

    [request] = stack_receiver.received
    Webhook(secret).verify(request.body, request.headers)
    assert request.headers["webhook-id"] == str(delivery.id)


@pytest.mark.parametrize("enabled", [True, False])
def test_what_is_due_waits_while_webhooks_are_switched_off(
    sender: Any, receiver: Any, enabled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, _ = sender.endpoint(receiver.url)
    delivery_id = sender.event(endpoint, dt.datetime.now(dt.UTC))
    settings = sender.app.config["SETTINGS"].model_copy(update={"enable_webhooks": enabled})
    monkeypatch.setitem(sender.app.config, "SETTINGS", settings)

    Dispatcher(sender.app).look()

    assert (sender.read_delivery(delivery_id).hint_expires_at is not None) is enabled
