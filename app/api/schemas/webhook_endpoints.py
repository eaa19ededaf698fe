from __future__ import annotations

import json
from typing import Any

from marshmallow import fields, post_dump, post_load, pre_dump, validate

from app.domain.states import DeliveryState, EndpointState
from app.domain.webhooks import MAX_URL_LENGTH, SUBSCRIBABLE
from app.models.webhook_delivery import WebhookAttempt
from app.services.webhooks.endpoints import NewEndpoint
from app.web.fields import AnswerSchema, RowSchema, Timestamp
from app.web.pagination import PageArgs
from app.web.request_schema import BoundedList, RequestSchema

_DESCRIPTION_LENGTH = 1000

_EVENT = fields.String(validate=validate.OneOf(SUBSCRIBABLE), metadata={"title": "EventType"})
_STATE = validate.OneOf([state.value for state in EndpointState])
_STATE_NAME = EndpointState.__name__


class _WishesSchema(RequestSchema):
    description = fields.String(allow_none=True, validate=validate.Length(max=_DESCRIPTION_LENGTH))
    events = BoundedList(
        _EVENT,
        least=1,
        most=len(SUBSCRIBABLE),
        metadata={"description": "All of them when left out"},
    )


class EndpointCreateSchema(_WishesSchema):
    """What a client registers."""

    url = fields.String(
        required=True,
        validate=validate.Length(min=1, max=MAX_URL_LENGTH),
        metadata={"format": "uri", "description": "https, and on a public address"},
    )

    @post_load
    def _as_request(self, data: dict[str, Any], **_: Any) -> NewEndpoint:
        return NewEndpoint(**data)


class EndpointUpdateSchema(_WishesSchema):
    """What a client may change; a field left out stays."""

    url = fields.String(validate=validate.Length(min=1, max=MAX_URL_LENGTH))
    state = fields.String(
        validate=_STATE,
        metadata={
            "title": _STATE_NAME,
            "description": "`enabled` sends out what was held while it was disabled",
        },
    )


class EndpointSchema(RowSchema):
    """A receiver, without its secrets."""

    url = fields.String(required=True)
    description = fields.String(required=True, allow_none=True)
    events = fields.List(fields.String(), required=True)
    state = fields.String(required=True, validate=_STATE, metadata={"title": _STATE_NAME})
    disabled_reason = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "`gone` (410), `failing` (five days) or `by_client`"},
    )
    disabled_at = Timestamp(required=True, allow_none=True)
    failing_since = Timestamp(required=True, allow_none=True)
    last_success_at = Timestamp(required=True, allow_none=True)
    previous_secret_expires_at = Timestamp(
        required=True,
        allow_none=True,
        metadata={"description": "Until then the secret before the last rotation signs too"},
    )


class EndpointWithSecretSchema(EndpointSchema):
    """A receiver in the one answer that shows its secret."""

    secret = fields.String(
        required=True, metadata={"description": "`whsec_…`; it is not shown again"}
    )


class DeliveryArgs(PageArgs):
    """The query of a list of deliveries."""

    state = fields.String(
        validate=validate.OneOf([state.value for state in DeliveryState]),
        metadata={"title": DeliveryState.__name__},
    )


class DeliverySchema(RowSchema):
    """One event for one receiver."""

    endpoint_id = fields.UUID(required=True)
    job_id = fields.UUID(required=True, allow_none=True)
    type = fields.String(required=True)
    state = fields.String(required=True)
    attempt_count = fields.Integer(
        required=True, metadata={"description": "Since it was made, replayed or let go"}
    )
    next_attempt_at = Timestamp(required=True, allow_none=True)
    finished_at = Timestamp(required=True, allow_none=True)

    @post_dump
    def _only_pending_ones_have_a_next_attempt(
        self, data: dict[str, Any], **_: Any
    ) -> dict[str, Any]:
        if data["state"] != DeliveryState.PENDING:
            data["next_attempt_at"] = None
        return data


class DeliveryWithPayloadSchema(DeliverySchema):
    """The same with what is sent."""

    payload = fields.Function(
        lambda delivery: json.loads(delivery.payload),
        required=True,
        metadata={"type": "object", "description": "What is sent, frozen when the job ended"},
    )


class AttemptErrorSchema(AnswerSchema):
    """Why nobody answered an attempt."""

    code = fields.String(required=True)
    message = fields.String(required=True)


class AttemptSchema(AnswerSchema):
    """One try of a delivery."""

    attempted_at = Timestamp(required=True)
    status_code = fields.Integer(required=True, allow_none=True)
    duration_ms = fields.Integer(required=True)
    response_excerpt = fields.String(
        required=True, allow_none=True, metadata={"description": "The answer's first kilobyte"}
    )
    error = fields.Nested(
        AttemptErrorSchema,
        required=True,
        allow_none=True,
        metadata={"description": "Why there was no answer"},
    )

    @pre_dump
    def _split_the_error(self, attempt: WebhookAttempt, **_: Any) -> dict[str, Any]:
        code, _separator, message = (attempt.error or "").partition(": ")
        return {
            "attempted_at": attempt.attempted_at,
            "status_code": attempt.status_code,
            "duration_ms": attempt.duration_ms,
            "response_excerpt": attempt.response_excerpt,
            "error": {"code": code, "message": message} if code else None,
        }
