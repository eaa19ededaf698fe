"""Signing secrets of endpoints: made, rotated with an overlap, and sealed again under a new key."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from collections import Counter
from uuid import UUID

from flask import current_app
from sqlalchemy import select

from app.adapters.secret_box import SecretBox
from app.database.transactions import owner_transaction, tenant_transaction
from app.domain.actor import SYSTEM, Actor
from app.domain.webhooks import SECRET_OVERLAP, SECRET_PREFIX
from app.models.webhook_endpoint import WebhookEndpoint
from app.queries.webhooks import lock_endpoint
from app.services.tenancy.record_audit import record_audit
from app.services.webhooks.audit_endpoint import audit_endpoint

_SECRET_BYTES = 32  # Standard Webhooks asks for 24 to 64


def secret_box() -> SecretBox:
    """The box of this process's configuration."""
    return SecretBox.from_settings(current_app.config["SETTINGS"])


def new_secret() -> str:
    """A random `whsec_…` secret in the form that Standard Webhooks' libraries read."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def live_secrets(endpoint: WebhookEndpoint, now: dt.datetime) -> tuple[str, ...]:
    """The secrets that sign at `now`, the newest first.

    Raises:
        ConfigurationError: ENCRYPTION_KEYS lacks the key that sealed them.
    """
    box = secret_box()
    live = [box.open(endpoint.secret_encrypted)]
    expires_at = endpoint.previous_secret_expires_at
    if endpoint.previous_secret_encrypted is not None and expires_at and now < expires_at:
        live.append(box.open(endpoint.previous_secret_encrypted))
    return tuple(live)


def rotate_secret(
    tenant_id: UUID, endpoint_id: UUID, actor: Actor, *, now: dt.datetime | None = None
) -> tuple[WebhookEndpoint, str]:
    """Give an endpoint a new secret; the present one signs beside it for a day.

    Returns:
        The endpoint and the new secret, which is not shown again.

    Raises:
        NotFound: no endpoint of this tenant has the id.
    """
    secret = new_secret()
    with tenant_transaction(tenant_id) as session:
        endpoint = lock_endpoint(session, tenant_id, endpoint_id)
        endpoint.previous_secret_encrypted = endpoint.secret_encrypted
        endpoint.previous_secret_expires_at = (now or dt.datetime.now(dt.UTC)) + SECRET_OVERLAP
        endpoint.secret_encrypted = secret_box().seal(secret)
        audit_endpoint(session, endpoint, actor, "secret_rotated")
    return endpoint, secret


def reseal_secrets() -> int:
    """Encrypt every stored secret with the first of ENCRYPTION_KEYS, so that others can be dropped.

    Returns:
        How many endpoints there are.

    Raises:
        ConfigurationError: a secret fits none of the keys; nothing is changed.
    """
    box = secret_box()
    with owner_transaction() as session:
        endpoints = session.scalars(select(WebhookEndpoint).with_for_update(key_share=True)).all()
        for endpoint in endpoints:
            endpoint.secret_encrypted = box.reseal(endpoint.secret_encrypted)
            if endpoint.previous_secret_encrypted is not None:
                endpoint.previous_secret_encrypted = box.reseal(endpoint.previous_secret_encrypted)
        for tenant_id, count in Counter(endpoint.tenant_id for endpoint in endpoints).items():
            action, detail = "webhook_secrets.resealed", {"endpoints": count}
            record_audit(session, tenant_id, SYSTEM, action, "webhook_endpoint", None, detail)
    return len(endpoints)
