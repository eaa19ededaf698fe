"""A test event from the API's use case to the receiver, through dispatcher, broker and worker."""

from __future__ import annotations

from typing import Any

from standardwebhooks.webhooks import Webhook

from app.domain.actor import SYSTEM
from app.services.webhook_endpoints import send_test_event
from tests.support.processes import Processes, wait_until


def test_a_test_event_reaches_the_receiver_by_way_of_the_queue(
    sender: Any, receiver: Any, programs: Processes
) -> None:
    for name in ("dispatcher", "default"):
        if not programs.alive(name):
            programs.start(name)
    endpoint, secret = sender.endpoint(receiver.url)

    delivery = send_test_event(sender.tenant_id, endpoint, SYSTEM)
    wait_until(lambda: bool(receiver.received), seconds=60, what="the delivery")
    wait_until(lambda: sender.read_delivery(delivery.id).state == "delivered", what="its record")

    [request] = receiver.received
    Webhook(secret).verify(request.body, request.headers)
    assert request.headers["webhook-id"] == str(delivery.id)
