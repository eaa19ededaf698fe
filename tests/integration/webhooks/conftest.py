"""A real receiver, a trap that notices any connection, and a tenant that sends webhooks."""

from __future__ import annotations

import datetime as dt
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from app.config import Settings
from app.database.transactions import owner_transaction, tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.identifiers import new_id
from app.domain.states import EventType
from app.domain.webhooks import event_payload
from app.models.audit_event import AuditEvent
from app.models.tenant import Tenant
from app.models.webhook_delivery import WebhookAttempt, WebhookDelivery
from app.models.webhook_endpoint import WebhookEndpoint
from app.services.webhooks.deliver import deliver_due
from app.services.webhooks.endpoints import NewEndpoint, create_endpoint
from tests.support.processes import Processes

# A port that may be called and where nobody listens.
NOBODY = 9

_connects: list[Any] = []


def _note_connects(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        _connects.append(arguments[1])


sys.addaudithook(_note_connects)


@dataclass
class Received:
    """One request as the receiver saw it."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A web server on loopback that answers what the test tells it to."""

    port: int
    received: list[Received] = field(default_factory=list)
    status: int = 200
    body: bytes = b"thank you"
    headers: dict[str, str] = field(default_factory=dict)
    before_answer: Callable[[], object] = field(default=lambda: None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    yield from _serve()


@pytest.fixture
def other_receiver() -> Iterator[Receiver]:
    yield from _serve()


@pytest.fixture
def stack_receiver(settings: Settings) -> Iterator[Receiver]:
    """The one that the settings of the running programs allow."""
    [entry] = settings.webhook_allowed_hosts
    yield from _serve(int(entry.rpartition(":")[2]))


def _serve(port: int = 0) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            state.received.append(Received(self.path, dict(self.headers), body))
            state.before_answer()
            self.send_response(state.status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(state.body)

        do_GET = do_POST  # noqa: N815 - http.server names it; a followed redirect would come as GET

        def log_message(self, *_: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            return  # a client that hung up is what some tests are about

    server = Server(("127.0.0.1", port), Handler)
    state = Receiver(port=server.server_address[1])
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield state
    server.shutdown()
    server.server_close()


@dataclass
class Trap:
    """A socket that listens on every address of this machine and nobody may ever reach."""

    listener: socket.socket
    noted_before: int

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    @property
    def connects_tried(self) -> int:
        """Calls of connect() by this process, to anywhere, since the trap was set."""
        return len(_connects) - self.noted_before

    def caught(self) -> bool:
        """Whether somebody connected."""
        try:
            connection, _ = self.listener.accept()
        except BlockingIOError:
            return False
        connection.close()
        return True


@pytest.fixture
def trap() -> Iterator[Trap]:
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        listener.setblocking(False)
        yield Trap(listener, len(_connects))


class Sender:
    """A tenant of its own, on the sending side; what it does goes through the real services."""

    def __init__(self, app: Flask, tenant_id: UUID) -> None:
        self.app = app
        self.tenant_id = tenant_id

    def endpoint(self, url: str) -> tuple[UUID, str]:
        """Register a receiver; its id and secret."""
        endpoint, secret = create_endpoint(self.tenant_id, NewEndpoint(url), SYSTEM)
        return endpoint.id, secret

    def allow(self, *entries: str) -> None:
        """List these receivers, as the operator does, and no others."""
        settings = self.app.config["SETTINGS"]
        changed = settings.model_copy(update={"webhook_allowed_hosts": entries})
        self.app.config["SETTINGS"] = changed  # put back by the fixture

    def event(self, endpoint_id: UUID, at: dt.datetime) -> UUID:
        """Write a delivery as the end of a job does."""
        delivery_id, kind = new_id(), EventType.JOB_SUCCEEDED
        with tenant_transaction(self.tenant_id) as session:
            session.add(
                WebhookDelivery(
                    id=delivery_id,
                    tenant_id=self.tenant_id,
                    endpoint_id=endpoint_id,
                    job_id=new_id(),
                    type=kind,
                    payload=event_payload(delivery_id, kind, at, {"state": "succeeded"}),
                    next_attempt_at=at,
                    created_at=at,
                )
            )
        return delivery_id

    def deliver(self, delivery_id: UUID, at: dt.datetime | None = None) -> int:
        """What the task does with a hint."""
        return deliver_due(self.tenant_id, delivery_id, now=at)

    def run_clock(self, until: dt.datetime) -> None:
        """Deliver everything that falls due before `until`, each at its own moment."""
        while True:
            with tenant_transaction(self.tenant_id) as session:
                due = session.execute(
                    select(WebhookDelivery.id, WebhookDelivery.next_attempt_at)
                    .where(WebhookDelivery.state == "pending")
                    .where(WebhookDelivery.next_attempt_at < until)
                    .order_by(WebhookDelivery.next_attempt_at)
                    .limit(1)
                ).first()
            if due is None:
                return
            self.deliver(due.id, due.next_attempt_at)

    def read_endpoint(self, endpoint_id: UUID) -> WebhookEndpoint:
        with tenant_transaction(self.tenant_id) as session:
            return session.get_one(WebhookEndpoint, endpoint_id)

    def read_delivery(self, delivery_id: UUID) -> WebhookDelivery:
        with tenant_transaction(self.tenant_id) as session:
            return session.get_one(WebhookDelivery, delivery_id)

    def states(self) -> list[str]:
        """The states of all deliveries, in the order they were written."""
        with tenant_transaction(self.tenant_id) as session:
            return list(session.scalars(select(WebhookDelivery.state).order_by(WebhookDelivery.id)))

    def attempts(self, delivery_id: UUID) -> list[WebhookAttempt]:
        with tenant_transaction(self.tenant_id) as session:
            return list(
                session.scalars(
                    select(WebhookAttempt)
                    .where(WebhookAttempt.delivery_id == delivery_id)
                    .order_by(WebhookAttempt.attempted_at)
                )
            )

    def audited(self) -> list[tuple[str, dict[str, Any]]]:
        """Actions and details of the audit log."""
        with tenant_transaction(self.tenant_id) as session:
            events = session.scalars(select(AuditEvent).order_by(AuditEvent.id))
            return [(event.action, event.detail) for event in events]


@pytest.fixture
def sender(
    app: Flask,
    programs: Processes,
    receiver: Receiver,
    other_receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> Sender:
    """A new tenant; the dispatcher is stopped, so that only the test delivers what is due."""
    if programs.alive("dispatcher"):
        programs.stop("dispatcher")
    settings = app.config["SETTINGS"].model_copy(
        update={
            "webhook_allowed_hosts": (
                *app.config["SETTINGS"].webhook_allowed_hosts,
                *(f"127.0.0.1:{port}" for port in (receiver.port, other_receiver.port, NOBODY)),
            ),
            "email_host": None,
        }
    )
    monkeypatch.setitem(app.config, "SETTINGS", settings)
    tenant_id = new_id()
    with owner_transaction() as session:
        session.add(
            Tenant(id=tenant_id, name=f"tenant {tenant_id}", contact_email="ops@client.example")
        )
    return Sender(app, tenant_id)
