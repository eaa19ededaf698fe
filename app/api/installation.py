"""What a client can ask of this installation before it asks for anything else."""

from __future__ import annotations

from typing import Any

from flask import current_app

from app.api.resource import Resource
from app.api.schemas.installation import LimitsSchema, MeSchema, ModelListSchema
from app.config import Settings
from app.domain.names import Scope
from app.domain.tenant_limits import Limit
from app.services.gallery.read_models import list_models as offered
from app.services.tenancy.room import use_of_limits
from app.services.tenancy.who_asks import Caller, who_asks
from app.web.auth import principal, requires
from app.web.rate_limit import use_of_minute

blueprint = Resource("installation", __name__, description="What is offered here, and to whom")


@blueprint.get("/models")
@requires(Scope.COLLECTIONS_READ)
@blueprint.returns(200, ModelListSchema)
def list_models() -> Any:
    """List the models that a collection may be bound to."""
    return {"data": offered(principal().tenant_id)}


@blueprint.get("/me")
@requires(None)
@blueprint.returns(200, MeSchema)
def get_me() -> Caller:
    """Read whose key makes the request; any key may."""
    return who_asks(principal())


@blueprint.get("/limits")
@requires(None)
@blueprint.returns(200, LimitsSchema)
def get_limits() -> Any:
    """Read what this installation takes and keeps, and what your tenant uses; any key may."""
    settings: Settings = current_app.config["SETTINGS"]
    limited = settings.enable_api_rate_limiting
    same = (
        "max_job_items",
        "max_upload_size",
        "max_image_pixels",
        "job_queue_days",
        "retention_days_jobs",
        "retention_days_images",
    )
    return {
        **{name: getattr(settings, name) for name in same},
        "requests_per_minute": settings.api_rate_limit_per_minute if limited else None,
        "liveness": settings.liveness_detection_enabled,
        "webhooks": settings.enable_webhooks,
        "tenant": {
            **use_of_limits(principal().tenant_id),
            Limit.REQUESTS_PER_MINUTE: use_of_minute(principal()),
        },
    }
