"""Receivers of a tenant, and what was sent to them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import url_for

from app.api.ordered_lists import OrderedArgs, ordered_page_of
from app.api.resource import Resource
from app.api.schemas.webhook_endpoints import (
    AttemptSchema,
    DeliveryArgs,
    DeliverySchema,
    DeliveryWithPayloadSchema,
    EndpointCreateSchema,
    EndpointSchema,
    EndpointUpdateSchema,
    EndpointWithSecretSchema,
)
from app.domain.names import Scope
from app.models.webhook_delivery import WebhookDelivery
from app.models.webhook_endpoint import WebhookEndpoint
from app.services.webhooks import endpoint_secrets as webhook_secrets
from app.services.webhooks import endpoints as webhook_endpoints
from app.services.webhooks import read_deliveries as webhook_deliveries
from app.services.webhooks import replay_delivery as webhook_replay
from app.services.webhooks.endpoints import NewEndpoint
from app.web.auth import actor, principal, requires
from app.web.idempotency import idempotent, idempotent_secret
from app.web.operation_doc import LOCATION

blueprint = Resource("webhook-endpoints", __name__, description="Who is told when a job ends")

_ENDPOINT = "/webhook-endpoints/<uuid:endpoint_id>"
_DELIVERY = f"{_ENDPOINT}/deliveries/<uuid:delivery_id>"


@blueprint.post("/webhook-endpoints")
@requires(Scope.WEBHOOKS_WRITE)
@idempotent_secret
@blueprint.takes(EndpointCreateSchema)
@blueprint.returns(201, EndpointWithSecretSchema, headers=LOCATION)
def create_endpoint(wanted: NewEndpoint) -> Any:
    """Register a receiver; the answer shows its signing secret once."""
    made, secret = webhook_endpoints.create_endpoint(principal().tenant_id, wanted, actor())
    location = url_for("webhook-endpoints.get_endpoint", endpoint_id=made.id)
    return _with_secret(made, secret), {"Location": location}


@blueprint.get("/webhook-endpoints")
@requires(Scope.WEBHOOKS_WRITE)
@blueprint.takes(OrderedArgs, "query")
@blueprint.returns_page(EndpointSchema)
def list_endpoints(args: dict[str, Any]) -> Any:
    """List endpoints."""
    return ordered_page_of(webhook_endpoints.list_endpoints, args)


@blueprint.get(_ENDPOINT)
@requires(Scope.WEBHOOKS_WRITE)
@blueprint.returns(200, EndpointSchema)
def get_endpoint(endpoint_id: UUID) -> WebhookEndpoint:
    """Read an endpoint."""
    return webhook_endpoints.read_endpoint(principal().tenant_id, endpoint_id)


@blueprint.patch(_ENDPOINT)
@requires(Scope.WEBHOOKS_WRITE)
@blueprint.takes(EndpointUpdateSchema)
@blueprint.returns(200, EndpointSchema)
def update_endpoint(changes: dict[str, Any], endpoint_id: UUID) -> WebhookEndpoint:
    """Change an endpoint, disable it, or enable it again."""
    return webhook_endpoints.update_endpoint(principal().tenant_id, endpoint_id, changes, actor())


@blueprint.delete(_ENDPOINT)
@requires(Scope.WEBHOOKS_WRITE)
@blueprint.returns(204)
def delete_endpoint(endpoint_id: UUID) -> None:
    """Delete an endpoint and the record of its deliveries."""
    webhook_endpoints.delete_endpoint(principal().tenant_id, endpoint_id, actor())


@blueprint.post(f"{_ENDPOINT}/test")
@requires(Scope.WEBHOOKS_WRITE)
@idempotent
@blueprint.returns(202, DeliverySchema)
def send_test_event(endpoint_id: UUID) -> WebhookDelivery:
    """Send an `endpoint.test` event; what came of it is in its attempts."""
    return webhook_endpoints.send_test_event(principal().tenant_id, endpoint_id, actor())


@blueprint.post(f"{_ENDPOINT}/rotate-secret")
@requires(Scope.WEBHOOKS_WRITE)
@idempotent_secret
@blueprint.returns(200, EndpointWithSecretSchema)
def rotate_secret(endpoint_id: UUID) -> dict[str, Any]:
    """Make a new secret, shown once; the present one signs beside it for a day."""
    return _with_secret(*webhook_secrets.rotate_secret(principal().tenant_id, endpoint_id, actor()))


@blueprint.get(f"{_ENDPOINT}/deliveries")
@requires(Scope.WEBHOOKS_WRITE)
@blueprint.takes(DeliveryArgs, "query")
@blueprint.returns_page(DeliverySchema)
def list_deliveries(args: dict[str, Any], endpoint_id: UUID) -> Any:
    """List what was, is and will be sent to an endpoint."""
    return ordered_page_of(
        webhook_deliveries.list_deliveries, args, endpoint_id, state=args.get("state")
    )


@blueprint.get(_DELIVERY)
@requires(Scope.WEBHOOKS_WRITE)
@blueprint.returns(200, DeliveryWithPayloadSchema)
def get_delivery(endpoint_id: UUID, delivery_id: UUID) -> WebhookDelivery:
    """Read a delivery with its payload."""
    return webhook_deliveries.read_delivery(principal().tenant_id, endpoint_id, delivery_id)


@blueprint.get(f"{_DELIVERY}/attempts")
@requires(Scope.WEBHOOKS_WRITE)
@blueprint.takes(OrderedArgs, "query")
@blueprint.returns_page(AttemptSchema)
def list_attempts(args: dict[str, Any], endpoint_id: UUID, delivery_id: UUID) -> Any:
    """List the attempts of a delivery."""
    return ordered_page_of(webhook_deliveries.list_attempts, args, endpoint_id, delivery_id)


@blueprint.post(f"{_DELIVERY}/replay")
@requires(Scope.WEBHOOKS_WRITE)
@idempotent
@blueprint.returns(202, DeliverySchema)
def replay_delivery(endpoint_id: UUID, delivery_id: UUID) -> WebhookDelivery:
    """Send a delivery again, now, under the same `webhook-id`."""
    return webhook_replay.replay_delivery(principal().tenant_id, endpoint_id, delivery_id, actor())


def _with_secret(endpoint: WebhookEndpoint, secret: str) -> dict[str, Any]:
    shown = {name: getattr(endpoint, name) for name in EndpointSchema().fields}
    return {**shown, "secret": secret}
