"""What is mailed to whom, by a real SMTP server; and what happens while that is away."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask
from sqlalchemy import select, text

from app.adapters.mail import greet, send_mail
from app.database.transactions import owner_transaction, tenant_transaction
from app.domain.actor import SYSTEM
from app.domain.webhooks import DisabledReason
from app.models.mail import Mail
from app.models.webhook_endpoint import WebhookEndpoint
from app.services.tenancy.announce_key_ends import announce_key_ends
from app.services.tenancy.api_keys import withdraw_api_key
from app.services.tenancy.send_mails import send_mails
from app.services.webhooks.endpoints import NewEndpoint, create_endpoint
from app.services.webhooks.switch_endpoint import disable_endpoint
from scripts.stack import application
from scripts.stack.state import State
from tests.factories.tenants import make_key, make_tenant
from tests.support.emptying import truncate
from tests.support.ports import free_port
from tests.support.processes import Processes, wait_until

pytestmark = pytest.mark.stack

CONTACT = "ops@client.example"
DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC)


@dataclass
class Post:
    """A mail server: what it has taken, and from whom."""

    taken: list[tuple[list[str], Message]] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    refuses: bool = False

    async def handle_DATA(self, _smtp: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        if self.refuses:
            return "451 try again"
        self.users.append(str(session.auth_data))
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append((list(envelope.rcpt_tos), message_from_bytes(content)))
        return "250 taken"

    @property
    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for _, message in self.taken]


@pytest.fixture
def post(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    """A server without passwords, which the settings name."""
    handler = Post()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    configure(app, monkeypatch, controller.port, email_use_tls=False)
    yield handler
    controller.stop()


def configure(app: Flask, monkeypatch: pytest.MonkeyPatch, port: int, **more: object) -> None:
    changes = {"email_host": "localhost", "email_port": port, **more}
    settings = app.config["SETTINGS"].model_copy(update=changes)
    monkeypatch.setitem(app.config, "SETTINGS", settings)


@pytest.fixture
def tenant_id(app: Flask) -> UUID:
    """A tenant with a contact; nobody else's mail waits."""
    del app
    tenant = make_tenant()
    with owner_transaction() as session:
        session.execute(text("TRUNCATE mails"))
        session.execute(text("DELETE FROM api_keys"))
        change = "UPDATE tenants SET contact_email = :contact WHERE id = :id"
        session.execute(text(change), {"contact": CONTACT, "id": tenant.id})
    return tenant.id


def give_up(tenant_id: UUID) -> UUID:
    """An endpoint that the service disables."""
    wanted = NewEndpoint("https://receiver.example/hook")
    endpoint_id = create_endpoint(tenant_id, wanted, SYSTEM)[0].id
    with tenant_transaction(tenant_id) as session:
        endpoint = session.get_one(WebhookEndpoint, endpoint_id)
        disable_endpoint(session, endpoint, DisabledReason.GONE, NOW)
    return endpoint_id


def key_that_ends(tenant_id: UUID, end: dt.datetime, made: dt.datetime = NOW - 90 * DAY) -> UUID:
    prefix = make_key(tenant_id, expires_at=end).split("_")[1]
    with owner_transaction() as session:
        change = "UPDATE api_keys SET created_at = :made WHERE prefix LIKE :key RETURNING id"
        row = session.execute(text(change), {"made": made, "key": f"%{prefix}%"}).one()
    return UUID(str(row.id))


def mails(tenant_id: UUID) -> list[Mail]:
    with tenant_transaction(tenant_id) as session:
        return list(session.scalars(select(Mail).order_by(Mail.id)))


def test_the_contact_is_told_of_an_endpoint_that_was_disabled(post: Post, tenant_id: UUID) -> None:
    endpoint_id = give_up(tenant_id)

    assert send_mails() == 1

    [(to, message)] = post.taken
    assert to == [CONTACT]
    assert str(endpoint_id) in message["Subject"]
    assert "410 Gone" in str(message.get_payload())
    assert send_mails(dt.datetime.now(dt.UTC) + DAY) == 0


def test_the_contact_is_told_of_a_key_14_and_3_days_before_its_end_once_each(
    post: Post, tenant_id: UUID
) -> None:
    end = NOW + 20 * DAY
    key_that_ends(tenant_id, end)

    written = [announce_key_ends(end - days * DAY) for days in (15, 14, 13, 4, 3, 2, 1, -1)]

    assert written == [0, 1, 0, 0, 1, 0, 0, 0]
    assert send_mails() == 2
    assert all(f"{end:%Y-%m-%d}" in subject for subject in post.subjects)


def test_a_chore_that_did_not_run_for_long_tells_of_a_key_once(post: Post, tenant_id: UUID) -> None:
    del post
    key_that_ends(tenant_id, NOW + 2 * DAY)

    assert (announce_key_ends(), announce_key_ends()) == (1, 0)


def test_keys_that_end_as_they_were_made_to_or_have_ended_are_not_told_of(
    post: Post, tenant_id: UUID
) -> None:
    del post
    key_that_ends(tenant_id, NOW + 2 * DAY, made=NOW)
    withdraw_api_key(tenant_id, key_that_ends(tenant_id, NOW + 2 * DAY))
    make_key(tenant_id)

    assert announce_key_ends() == 0


def test_nothing_is_written_that_nobody_could_send(
    app: Flask, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(app, monkeypatch, 25, email_host=None)
    give_up(tenant_id)

    assert mails(tenant_id) == []


@pytest.fixture
def chores(
    app: Flask,
    post: Post,
    services: State,
    stack_environment: dict[str, str],
    programs: Processes,
    tmp_path: Path,
) -> Iterator[Processes]:
    """The worker for chores and a beat, which know of the mail server."""
    del post  # its address is in the settings
    programs.stop_all()
    found = {program.name: program for program in application.programs(services)}
    settings = app.config["SETTINGS"]
    server = {"EMAIL_HOST": settings.email_host, "EMAIL_PORT": str(settings.email_port)}
    environment = {**stack_environment, **server, "EMAIL_USE_TLS": "false"}
    started = Processes(found, environment, tmp_path)
    yield started
    started.stop_all()


def test_beat_and_the_worker_for_chores_write_and_send_by_themselves(
    post: Post, tenant_id: UUID, chores: Processes
) -> None:
    give_up(tenant_id)
    truncate("chore_turns")

    chores.ensure("default", "beat")

    wait_until(lambda: len(post.taken) == 1, seconds=90, what="the mail")


def test_while_the_server_is_away_the_mail_waits_and_it_goes_out_afterwards(
    app: Flask, post: Post, tenant_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = app.config["SETTINGS"]
    configure(app, monkeypatch, 1, email_use_tls=False)
    give_up(tenant_id)  # which waits for no mail server

    assert send_mails() == 0
    [mail] = mails(tenant_id)
    assert (mail.attempt_count, mail.finished_at) == (1, None)
    monkeypatch.setitem(app.config, "SETTINGS", there)
    assert send_mails() == 0  # not yet due again
    assert send_mails(mail.next_attempt_at) == 1
    assert len(post.taken) == 1


def test_what_a_server_refuses_for_three_days_is_given_up_and_said(
    post: Post, tenant_id: UUID
) -> None:
    post.refuses = True
    give_up(tenant_id)
    now, tries = dt.datetime.now(dt.UTC), 0
    while (mail := mails(tenant_id)[0]).finished_at is None:
        now = max(now, mail.next_attempt_at)
        send_mails(now)
        tries += 1

    assert dt.timedelta(days=3) < now - mail.created_at < dt.timedelta(days=3, hours=2)
    assert 60 < tries < 90
    assert post.taken == []


@pytest.fixture
def sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's certificate, which this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "chain.pem").write_bytes(secret + pem)
    (tmp_path / "trusted.pem").write_bytes(pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "chain.pem")
    return context


@pytest.fixture
def careful(app: Flask, sealed: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    """A server that asks for STARTTLS first and then for a password."""

    def knows(*given: object) -> AuthResult:
        who = given[-1]
        assert isinstance(who, LoginPassword)
        right = (who.login, who.password) == (b"facequeue", b"right")
        return AuthResult(success=right, auth_data=who.login.decode())

    handler = Post()
    controller = Controller(
        handler,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=sealed,
        require_starttls=True,
        auth_required=True,
        authenticator=knows,
    )
    controller.start()
    user = {"email_host_user": "facequeue", "email_host_password": "right"}
    configure(app, monkeypatch, controller.port, **user)
    yield handler
    controller.stop()


def send(app: Flask, **changes: object) -> bool:
    settings = app.config["SETTINGS"].model_copy(update=changes)
    return send_mail(settings, to=CONTACT, subject="s", body="b")


def test_mail_goes_out_by_starttls_with_a_password(app: Flask, careful: Post) -> None:
    assert send(app)

    assert (careful.subjects, careful.users) == (["s"], ["facequeue"])


def test_a_wrong_password_a_lack_of_tls_and_a_certificate_of_another_are_no_success(
    app: Flask, careful: Post
) -> None:
    assert not send(app, email_host_password="wrong")
    assert not send(app, email_use_tls=False)
    assert not send(app, email_host="127.0.0.1")

    assert careful.taken == []


def test_readiness_asks_the_server_for_tls_and_sends_nothing(app: Flask, careful: Post) -> None:
    settings = app.config["SETTINGS"]

    assert greet(settings, timeout_s=10) == ""
    other = settings.model_copy(update={"email_host": "127.0.0.1"})
    assert greet(other, timeout_s=10) == "SSLCertVerificationError"
    assert careful.taken == []


def test_an_address_that_is_none_is_no_success(app: Flask, post: Post) -> None:
    assert not send_mail(app.config["SETTINGS"], to="a\nb", subject="s", body="b")

    assert post.taken == []
