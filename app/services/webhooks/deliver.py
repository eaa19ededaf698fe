"""Use case: try a delivery that is due."""

from __future__ import annotations

import datetime as dt
import time
from uuid import UUID

import structlog
from flask import current_app
from standardwebhooks.webhooks import Webhook

from app.adapters.outgoing_http import OutgoingHttp
from app.domain.errors import DeliveryError
from app.domain.request_errors import WebhookUrlInvalid
from app.domain.webhooks import Outcome
from app.services.webhooks.delivery_lease import LeasedDelivery, lease_delivery
from app.services.webhooks.record_outcome import record_outcome

_log = structlog.get_logger(__name__)

# A task that finds more due at its endpoint goes on for so long, then gives its thread back: with
# one more attempt it still ends within a worker's soft shutdown.
_STAY_SECONDS = 10.0


def deliver_due(tenant_id: UUID, delivery_id: UUID, *, now: dt.datetime | None = None) -> int:
    """Try a delivery, then others that are due at the same endpoint.

    Args:
        tenant_id: whose delivery it is.
        delivery_id: the one that a hint named.
        now: the moment it is taken for; tests move it.

    Returns:
        How many attempts were made: 0 when the delivery is not due, is under way elsewhere, its
        endpoint is busy or disabled, or webhooks are switched off.
    """
    if not current_app.config["SETTINGS"].enable_webhooks:
        return 0
    ends = time.monotonic() + _STAY_SECONDS
    attempts, following = 0, delivery_id
    while time.monotonic() < ends:
        leased = lease_delivery(tenant_id, following, now or dt.datetime.now(dt.UTC))
        if leased is None:
            break
        outcome = _attempt(leased, now or dt.datetime.now(dt.UTC))
        attempts += 1
        waiting = record_outcome(leased, outcome, now or dt.datetime.now(dt.UTC))
        if waiting is None:
            break
        following = waiting
    return attempts


def _attempt(leased: LeasedDelivery, now: dt.datetime) -> Outcome:
    client = OutgoingHttp.from_settings(current_app.config["SETTINGS"])
    started = time.perf_counter()
    try:
        answer = client.post(leased.url, leased.payload.encode(), signed_headers(leased, now))
    except (DeliveryError, WebhookUrlInvalid) as error:
        outcome = Outcome(_milliseconds_since(started), error=f"{error.code}: {error}")
    else:
        outcome = Outcome(
            _milliseconds_since(started),
            status_code=answer.status_code,
            response_excerpt=answer.excerpt,
        )
    _log.info(
        "webhook_attempted",
        delivery_id=str(leased.id),
        endpoint_id=str(leased.endpoint_id),
        job_id=leased.job_id and str(leased.job_id),
        status_code=outcome.status_code,
        duration_ms=outcome.duration_ms,
        error=outcome.error,
    )
    return outcome


def _milliseconds_since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


def signed_headers(leased: LeasedDelivery, now: dt.datetime) -> dict[str, str]:
    """The headers of Standard Webhooks, with one signature for each live secret."""
    message_id, moment = str(leased.id), now.astimezone(dt.UTC)
    signatures = (
        Webhook(secret).sign(message_id, moment, leased.payload) for secret in leased.secrets
    )
    return {
        "Content-Type": "application/json",
        "User-Agent": "FaceQueue-Webhooks/1",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
