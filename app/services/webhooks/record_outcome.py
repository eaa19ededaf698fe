"""What an attempt came to, written down: the attempt, the delivery's next step, the endpoint."""

from __future__ import annotations

import datetime as dt
from random import SystemRandom
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database.transactions import tenant_transaction
from app.domain.request_errors import NotFound
from app.domain.states import DeliveryState, EndpointState
from app.domain.usage import UsageAmounts, UsageOperation, UsageOutcome
from app.domain.webhooks import (
    DISABLE_AFTER,
    DisabledReason,
    Outcome,
    failing_streak,
    is_given_up,
    next_attempt_at,
)
from app.models.webhook_delivery import WebhookAttempt, WebhookDelivery
from app.models.webhook_endpoint import WebhookEndpoint
from app.queries.webhooks import lock_endpoint, next_due, was_tried_since
from app.services.tenancy.note_usage import note_usage
from app.services.webhooks.delivery_lease import LeasedDelivery
from app.services.webhooks.switch_endpoint import disable_endpoint

_dice = SystemRandom()


def record_outcome(leased: LeasedDelivery, outcome: Outcome, now: dt.datetime) -> UUID | None:
    """Record an attempt in one transaction.

    Returns:
        Another delivery that is due at the same endpoint, for the worker that has just freed a
        place there; None when there is none.
    """
    with tenant_transaction(leased.tenant_id) as session:
        try:
            endpoint = lock_endpoint(session, leased.tenant_id, leased.endpoint_id)
        except NotFound:
            return None  # deleted meanwhile, and its deliveries with it
        _judge_endpoint(session, endpoint, outcome, now)
        _add_attempt(session, leased, outcome, now)
        _advance(session, leased, outcome, now)
        session.flush()
        if endpoint.state == EndpointState.DISABLED:
            return None
        return next_due(session, leased.tenant_id, leased.endpoint_id, now)


def _add_attempt(
    session: Session, leased: LeasedDelivery, outcome: Outcome, now: dt.datetime
) -> None:
    session.add(
        WebhookAttempt(
            tenant_id=leased.tenant_id,
            delivery_id=leased.id,
            attempted_at=now,
            status_code=outcome.status_code,
            duration_ms=outcome.duration_ms,
            response_excerpt=outcome.response_excerpt,
            error=outcome.error,
        )
    )
    ended = UsageOutcome.SUCCEEDED if outcome.is_success else UsageOutcome.FAILED
    note_usage(
        session, leased.tenant_id, {(UsageOperation.WEBHOOK, ended): UsageAmounts(webhooks=1)}
    )


def _advance(session: Session, leased: LeasedDelivery, outcome: Outcome, now: dt.datetime) -> None:
    delivery = session.scalars(
        select(WebhookDelivery)
        .where(
            WebhookDelivery.tenant_id == leased.tenant_id,
            WebhookDelivery.id == leased.id,
            WebhookDelivery.lease_token == leased.token,
        )
        .with_for_update()
    ).one_or_none()
    if delivery is None:
        return  # somebody else took it after our lease ran out; what they find counts
    delivery.leased_until = delivery.hint_expires_at = None
    delivery.attempt_count += 1
    if outcome.is_success:
        delivery.state, delivery.finished_at = DeliveryState.DELIVERED, now
    elif delivery.state == DeliveryState.PENDING:
        _schedule(delivery, now)


def _schedule(delivery: WebhookDelivery, now: dt.datetime) -> None:
    retry_at = next_attempt_at(delivery.attempt_count, now, _dice.random())
    if retry_at is None:
        delivery.state, delivery.finished_at = DeliveryState.EXHAUSTED, now
    else:
        delivery.next_attempt_at = retry_at


def _judge_endpoint(
    session: Session, endpoint: WebhookEndpoint, outcome: Outcome, now: dt.datetime
) -> None:
    if outcome.is_success:
        endpoint.failing_since, endpoint.last_success_at = None, now
        return
    endpoint.failing_since = failing_streak(
        endpoint.failing_since, now, tried_lately=_tried_lately(session, endpoint, now)
    )
    if outcome.is_gone:
        disable_endpoint(session, endpoint, DisabledReason.GONE, now)
    elif is_given_up(endpoint.failing_since, now):
        disable_endpoint(session, endpoint, DisabledReason.FAILING, now)


def _tried_lately(session: Session, endpoint: WebhookEndpoint, now: dt.datetime) -> bool:
    if endpoint.failing_since is None or not is_given_up(endpoint.failing_since, now):
        return True  # it began within the window, so it was tried within the window
    return was_tried_since(session, endpoint.tenant_id, endpoint.id, now - DISABLE_AFTER)
