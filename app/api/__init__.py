"""The HTTP API: one blueprint a resource, under /api/v1."""

from __future__ import annotations

from flask import Flask
from flask_cors import CORS

from app.api import (
    api_keys,
    audit_events,
    collections,
    docs,
    health,
    images,
    jobs,
    metrics,
    subjects,
    webhook_endpoints,
)
from app.config import Settings
from app.web.errors import init_errors
from app.web.idempotency import REPLAYED_HEADER
from app.web.rate_limit import init_rate_limit
from app.web.request_context import REQUEST_ID_HEADER, init_request_context
from app.web.resource import FaceQueueApi

BASE = "/api/v1"

RESOURCES = (
    collections.blueprint,
    subjects.blueprint,
    images.blueprint,
    jobs.blueprint,
    webhook_endpoints.blueprint,
    api_keys.blueprint,
    audit_events.blueprint,
)
# Outside /api/v1, without a key, and not in the OpenAPI document.
OPERATIONAL = (docs.blueprint, health.blueprint, metrics.blueprint)

# What a script in a browser may read of an answer.
EXPOSED_HEADERS = (
    "ETag",
    "Link",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    REPLAYED_HEADER,
    REQUEST_ID_HEADER,
)

# A multipart body is a little larger than the file in it.
_FORM_OVERHEAD = 64 * 1024


def register_api(app: Flask) -> None:
    """Add every resource to the application, and what all requests share."""
    settings: Settings = app.config["SETTINGS"]
    app.config["MAX_CONTENT_LENGTH"] = settings.max_upload_size + _FORM_OVERHEAD
    app.json.sort_keys = False  # type: ignore[attr-defined] # Flask's default provider has it
    init_request_context(app)
    metrics.init_metrics(app)
    init_errors(app)
    init_rate_limit(app, settings)
    _allow_origins(app, settings)
    api = _new_api(app)
    for resource in RESOURCES:
        api.register_blueprint(resource, url_prefix=BASE)
    for pages in OPERATIONAL:
        app.register_blueprint(pages)


def _new_api(app: Flask) -> FaceQueueApi:
    app.config.update(
        API_TITLE="FaceQueue",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=BASE,
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = FaceQueueApi(
        app,
        spec_kwargs={
            "info": {"description": "Batch face recognition: queue jobs, read results."},
            "security": [{"bearer": []}],
            "servers": [{"url": "/"}],
        },
    )
    api.spec.components.security_scheme(
        "bearer",
        {"type": "http", "scheme": "bearer", "description": "An API key of your tenant"},
    )
    return api


def _allow_origins(app: Flask, settings: Settings) -> None:
    if settings.cors_allowed_origins:
        CORS(
            app,
            resources={f"{BASE}/*": {"origins": list(settings.cors_allowed_origins)}},
            expose_headers=EXPOSED_HEADERS,
        )
