from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
import standardwebhooks.webhooks
import svix.webhooks
from cryptography.fernet import Fernet

from app.domain.actor import SYSTEM
from app.services.webhooks.endpoint_secrets import reseal_secrets, rotate_secret

Verifier = Callable[[str], Any]
VERIFIERS: list[Verifier] = [standardwebhooks.webhooks.Webhook, svix.webhooks.Webhook]
REFUSALS = (
    standardwebhooks.webhooks.WebhookVerificationError,
    svix.webhooks.WebhookVerificationError,
)
both_libraries = pytest.mark.parametrize("verifier", VERIFIERS, ids=["standardwebhooks", "svix"])


def delivered(sender: Any, receiver: Any, *, now: dt.datetime | None = None) -> Any:
    """The request that the receiver gets for one event to its only endpoint."""
    event = sender.event(sender.only, now or dt.datetime.now(dt.UTC))
    assert sender.deliver(event, now) == 1
    return receiver.received[-1]


@pytest.fixture
def secret(sender: Any, receiver: Any) -> str:
    sender.only, secret = sender.endpoint(receiver.url)
    return str(secret)


@both_libraries
def test_a_delivery_is_accepted_by_the_public_libraries(
    sender: Any, receiver: Any, secret: str, verifier: Verifier
) -> None:
    request = delivered(sender, receiver)

    verifier(secret).verify(request.body, request.headers)


@both_libraries
def test_an_altered_body_is_refused(
    sender: Any, receiver: Any, secret: str, verifier: Verifier
) -> None:
    request = delivered(sender, receiver)

    with pytest.raises(REFUSALS):
        verifier(secret).verify(request.body.replace(b"succeeded", b"failed"), request.headers)


@both_libraries
def test_both_secrets_verify_during_a_rotation(
    sender: Any, receiver: Any, secret: str, verifier: Verifier
) -> None:
    _, new_secret = rotate_secret(sender.tenant_id, sender.only, SYSTEM)

    request = delivered(sender, receiver)

    assert new_secret != secret
    verifier(secret).verify(request.body, request.headers)
    verifier(new_secret).verify(request.body, request.headers)


@both_libraries
def test_a_day_after_a_rotation_only_the_new_secret_verifies(
    sender: Any, receiver: Any, secret: str, verifier: Verifier
) -> None:
    now = dt.datetime.now(dt.UTC)
    _, new_secret = rotate_secret(
        sender.tenant_id, sender.only, SYSTEM, now=now - dt.timedelta(hours=24)
    )

    request = delivered(sender, receiver, now=now)

    verifier(new_secret).verify(request.body, request.headers)
    with pytest.raises(REFUSALS):
        verifier(secret).verify(request.body, request.headers)


def test_every_attempt_sends_the_same_id_and_bytes_under_a_new_timestamp(
    sender: Any, receiver: Any, secret: str
) -> None:
    now = dt.datetime.now(dt.UTC)
    event = sender.event(sender.only, now)
    receiver.status = 500
    sender.deliver(event, now)
    receiver.status = 200
    sender.run_clock(now + dt.timedelta(minutes=1))

    first, second = receiver.received

    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == str(event)
    assert int(second.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    assert secret.startswith("whsec_")


def test_a_payload_is_json_and_says_so(sender: Any, receiver: Any, secret: str) -> None:
    request = delivered(sender, receiver)

    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body)["type"] == "job.succeeded"
    assert json.loads(request.body)["id"] == request.headers["webhook-id"]
    assert secret.encode() not in request.body


def test_secrets_lie_encrypted_in_the_database(sender: Any, secret: str) -> None:
    stored = sender.read_endpoint(sender.only).secret_encrypted

    assert secret.encode() not in stored
    assert secret.removeprefix("whsec_").encode() not in stored


def test_deliveries_go_on_when_the_encryption_key_is_changed(
    sender: Any, receiver: Any, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = sender.app.config["SETTINGS"]
    new_key = Fernet.generate_key().decode()
    both = settings.model_copy(update={"encryption_keys": (new_key, *settings.encryption_keys)})
    back = settings.model_copy(update={"encryption_keys": (*settings.encryption_keys, new_key)})
    only_new = settings.model_copy(update={"encryption_keys": (new_key,)})

    monkeypatch.setitem(sender.app.config, "SETTINGS", both)
    assert reseal_secrets() >= 1
    monkeypatch.setitem(sender.app.config, "SETTINGS", only_new)
    request = delivered(sender, receiver)

    standardwebhooks.webhooks.Webhook(secret).verify(request.body, request.headers)
    monkeypatch.setitem(sender.app.config, "SETTINGS", back)
    reseal_secrets()
