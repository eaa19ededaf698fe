"""Turning an endpoint off and on: what is pending is held meanwhile, and goes out afterwards."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.database.notify import wake_dispatcher
from app.database.transactions import after_commit
from app.domain.actor import SYSTEM, Actor
from app.domain.states import DeliveryState, EndpointState
from app.domain.webhooks import DisabledReason
from app.models.webhook_delivery import WebhookDelivery
from app.models.webhook_endpoint import WebhookEndpoint
from app.services.tenancy.write_mail import write_mail
from app.services.webhooks.audit_endpoint import audit_endpoint

_EXPLANATIONS = {
    DisabledReason.GONE: "the receiver answered 410 Gone",
    DisabledReason.FAILING: "no delivery has succeeded for five days",
}


def disable_endpoint(
    session: Session,
    endpoint: WebhookEndpoint,
    reason: DisabledReason,
    now: dt.datetime,
    actor: Actor = SYSTEM,
) -> None:
    """Stop delivering to a locked endpoint and hold what is pending, in the caller's transaction.

    When the service decided it, a mail to the tenant's contact is written with it.
    """
    if endpoint.state == EndpointState.DISABLED:
        return
    endpoint.state = EndpointState.DISABLED
    endpoint.disabled_reason = reason
    endpoint.disabled_at = now
    _move_deliveries(session, endpoint, DeliveryState.PENDING, state=DeliveryState.HELD)
    audit_endpoint(session, endpoint, actor, "disabled", reason=reason.value)
    if reason in _EXPLANATIONS:
        _mail_contact(session, endpoint, _EXPLANATIONS[reason], now)


def enable_endpoint(
    session: Session, endpoint: WebhookEndpoint, now: dt.datetime, actor: Actor
) -> None:
    """Deliver again to a locked endpoint; what was held is due now, with a whole schedule ahead."""
    if endpoint.state == EndpointState.ENABLED:
        return
    endpoint.state = EndpointState.ENABLED
    endpoint.disabled_reason = endpoint.disabled_at = endpoint.failing_since = None
    _move_deliveries(
        session,
        endpoint,
        DeliveryState.HELD,
        state=DeliveryState.PENDING,
        next_attempt_at=now,
        attempt_count=0,
    )
    audit_endpoint(session, endpoint, actor, "enabled")
    after_commit(session, wake_dispatcher)


def _move_deliveries(
    session: Session, endpoint: WebhookEndpoint, current: DeliveryState, **values: object
) -> None:
    session.flush()
    session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.tenant_id == endpoint.tenant_id,
            WebhookDelivery.endpoint_id == endpoint.id,
            WebhookDelivery.state == current,
        )
        .values(hint_expires_at=None, **values)
        .execution_options(synchronize_session=False)
    )


def _mail_contact(
    session: Session, endpoint: WebhookEndpoint, explanation: str, now: dt.datetime
) -> None:
    body = (
        f"The webhook endpoint {endpoint.id} ({endpoint.url}) was disabled: {explanation}.\n\n"
        "Nothing is lost: its events are held, and go out when the endpoint is enabled again.\n"
        f"Repair the receiver, then send PATCH /api/v1/webhook-endpoints/{endpoint.id} with "
        '{"state": "enabled"}.\n'
    )
    subject = f"Webhook endpoint {endpoint.id} was disabled"
    about = f"webhook_endpoint.disabled:{endpoint.id}:{now.isoformat()}"
    write_mail(session, endpoint.tenant_id, about, subject, body)
