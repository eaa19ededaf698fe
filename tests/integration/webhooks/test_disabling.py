from __future__ import annotations

import datetime as dt
import math
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from app.domain.actor import SYSTEM
from app.domain.request_errors import EndpointDisabled
from app.domain.webhooks import ATTEMPT_GAPS
from app.services.tenancy.send_mails import send_mails
from app.services.webhooks.endpoints import delete_endpoint, send_test_event, update_endpoint
from tests.support.emptying import truncate

START = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
ENABLE, DISABLE = {"state": "enabled"}, {"state": "disabled"}


class MailServer(socketserver.ThreadingTCPServer):
    """As much SMTP as a client needs to hand over a mail."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _MailSession)
        self.mails: list[str] = []


class _MailSession(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        for line in self.rfile:
            command = line.strip().upper()
            if command == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                body = iter(self.rfile.readline, b".\r\n")
                self.server.mails.append(b"".join(body).decode())  # type: ignore[attr-defined] # MailServer
            self.wfile.write(b"221 bye\r\n" if command == b"QUIT" else b"250 ok\r\n")
            if command == b"QUIT":
                return


@pytest.fixture
def mail_server(sender: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    truncate("mails")
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        settings = sender.app.config["SETTINGS"].model_copy(
            update={
                "email_host": "127.0.0.1",
                "email_port": server.server_address[1],
                "email_use_tls": False,
            }
        )
        monkeypatch.setitem(sender.app.config, "SETTINGS", settings)
        yield server
        server.shutdown()


def fail_for_days(sender: Any, receiver: Any, days: float) -> tuple[Any, list[Any]]:
    """An endpoint that gets an event a day and fails them all."""
    receiver.status = 500
    endpoint, _ = sender.endpoint(receiver.url)
    events = [sender.event(endpoint, START + n * DAY) for n in range(math.ceil(days))]
    sender.run_clock(START + days * DAY)
    return endpoint, events


def test_410_disables_the_endpoint_at_once_and_holds_its_deliveries(
    sender: Any, receiver: Any
) -> None:
    receiver.status = 410
    endpoint, _ = sender.endpoint(receiver.url)
    first, second = sender.event(endpoint, START), sender.event(endpoint, START)

    sender.deliver(first, START)

    stored = sender.read_endpoint(endpoint)
    assert (stored.state, stored.disabled_reason, stored.disabled_at) == ("disabled", "gone", START)
    assert sender.states() == ["held", "held"]
    assert sender.deliver(second, START) == 0
    assert ("webhook_endpoint.disabled", {"reason": "gone"}) in sender.audited()


def test_an_endpoint_that_always_fails_is_disabled_after_five_days(
    sender: Any, receiver: Any
) -> None:
    endpoint, _ = fail_for_days(sender, receiver, 8)

    stored = sender.read_endpoint(endpoint)
    assert (stored.state, stored.disabled_reason) == ("disabled", "failing")
    assert 5 * DAY <= stored.disabled_at - START < 5.3 * DAY
    assert set(sender.states()) == {"held", "exhausted"}
    assert ("webhook_endpoint.disabled", {"reason": "failing"}) in sender.audited()


def test_an_endpoint_that_fails_for_less_than_five_days_stays_enabled(
    sender: Any, receiver: Any
) -> None:
    endpoint, _ = fail_for_days(sender, receiver, 4.9)

    assert sender.read_endpoint(endpoint).state == "enabled"


def test_one_success_starts_the_five_days_anew(sender: Any, receiver: Any) -> None:
    endpoint, _ = fail_for_days(sender, receiver, 4)
    receiver.status = 200
    sender.deliver(sender.event(endpoint, START + 4 * DAY), START + 4 * DAY)
    receiver.status = 500
    for day in (4, 5, 6):
        sender.event(endpoint, START + day * DAY + HOUR)

    sender.run_clock(START + 7 * DAY)

    assert sender.read_endpoint(endpoint).state == "enabled"


def test_a_failure_long_ago_and_silence_since_do_not_disable(sender: Any, receiver: Any) -> None:
    receiver.status = 500
    endpoint, _ = sender.endpoint(receiver.url)
    sender.event(endpoint, START)
    sender.run_clock(START + 10 * DAY)

    later = START + 30 * DAY
    sender.deliver(sender.event(endpoint, later), later)

    stored = sender.read_endpoint(endpoint)
    assert (stored.state, stored.failing_since) == ("enabled", later)


def test_what_was_held_goes_out_when_the_endpoint_is_enabled_again(
    sender: Any, receiver: Any
) -> None:
    endpoint, _ = sender.endpoint(receiver.url)
    receiver.status = 410
    events = [sender.event(endpoint, START) for _ in range(3)]
    sender.deliver(events[0], START)
    receiver.status = 200
    receiver.received.clear()

    update_endpoint(sender.tenant_id, endpoint, ENABLE, SYSTEM)
    sender.run_clock(dt.datetime.now(dt.UTC) + HOUR)

    arrived = [request.headers["webhook-id"] for request in receiver.received]
    assert sorted(arrived) == sorted(str(event) for event in events)
    stored = sender.read_endpoint(endpoint)
    assert (stored.state, stored.disabled_reason, stored.disabled_at) == ("enabled", None, None)
    assert ("webhook_endpoint.enabled", {}) in sender.audited()


def test_what_goes_out_again_has_a_whole_schedule_ahead(sender: Any, receiver: Any) -> None:
    endpoint, _ = sender.endpoint(receiver.url)
    receiver.status = 410
    event = sender.event(endpoint, START)
    sender.deliver(event, START)

    update_endpoint(sender.tenant_id, endpoint, ENABLE, SYSTEM)

    delivery = sender.read_delivery(event)
    assert (delivery.state, delivery.attempt_count) == ("pending", 0)


def test_an_event_for_an_endpoint_that_is_disabled_is_held(sender: Any, receiver: Any) -> None:
    endpoint, _ = sender.endpoint(receiver.url)
    update_endpoint(sender.tenant_id, endpoint, DISABLE, SYSTEM)
    event = sender.event(endpoint, START)

    assert sender.deliver(event, START) == 0

    assert sender.read_delivery(event).state == "held"
    assert receiver.received == []


def test_a_success_that_arrives_after_the_endpoint_was_disabled_still_counts(
    sender: Any, receiver: Any
) -> None:
    endpoint, _ = sender.endpoint(receiver.url)
    event = sender.event(endpoint, START)

    def disable() -> None:
        with sender.app.app_context():
            update_endpoint(sender.tenant_id, endpoint, DISABLE, SYSTEM)

    receiver.before_answer = disable
    sender.deliver(event, START)

    assert sender.read_delivery(event).state == "delivered"
    assert sender.read_endpoint(endpoint).state == "disabled"


def test_a_delivery_whose_last_attempt_disables_the_endpoint_is_held_and_not_exhausted(
    sender: Any, receiver: Any
) -> None:
    receiver.status = 500
    event = sender.event(sender.endpoint(receiver.url)[0], START)
    while sender.read_delivery(event).attempt_count < len(ATTEMPT_GAPS) - 1:
        sender.deliver(event, sender.read_delivery(event).next_attempt_at)

    receiver.status = 410
    sender.deliver(event, sender.read_delivery(event).next_attempt_at)

    assert sender.read_delivery(event).state == "held"


def test_an_endpoint_that_is_deleted_meanwhile_leaves_nothing_to_record(
    sender: Any, receiver: Any
) -> None:
    endpoint, _ = sender.endpoint(receiver.url)
    event = sender.event(endpoint, START)

    def delete() -> None:
        with sender.app.app_context():
            delete_endpoint(sender.tenant_id, endpoint, SYSTEM)

    receiver.before_answer = delete
    assert sender.deliver(event, START) == 1

    assert sender.states() == []


def test_no_test_event_is_sent_to_a_disabled_endpoint(sender: Any, receiver: Any) -> None:
    endpoint, _ = sender.endpoint(receiver.url)
    update_endpoint(sender.tenant_id, endpoint, DISABLE, SYSTEM)

    with pytest.raises(EndpointDisabled):
        send_test_event(sender.tenant_id, endpoint, SYSTEM)


def test_the_tenants_contact_gets_a_mail_that_says_what_to_do(
    sender: Any, receiver: Any, mail_server: MailServer
) -> None:
    endpoint, _ = fail_for_days(sender, receiver, 6)

    send_mails()

    [mail] = mail_server.mails
    text = mail.replace("=\r\n", "")
    assert "To: ops@client.example" in text
    assert str(endpoint) in text
    assert "five days" in text
    assert "enabled" in text


def test_no_mail_is_sent_when_the_client_disabled_the_endpoint_itself(
    sender: Any, receiver: Any, mail_server: MailServer
) -> None:
    endpoint, _ = sender.endpoint(receiver.url)

    update_endpoint(sender.tenant_id, endpoint, DISABLE, SYSTEM)

    assert send_mails() == 0
    assert mail_server.mails == []


def test_a_mail_server_that_is_down_changes_nothing_about_the_rest(
    sender: Any, receiver: Any, mail_server: MailServer
) -> None:
    mail_server.shutdown()
    mail_server.server_close()
    receiver.status = 410
    endpoint, _ = sender.endpoint(receiver.url)

    sender.deliver(sender.event(endpoint, START), START)

    assert sender.read_endpoint(endpoint).state == "disabled"
