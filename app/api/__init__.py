"""The HTTP API: one blueprint a resource, under /api/v1."""

from __future__ import annotations

from flask import Flask
from flask_cors import CORS

from app.api import (
    api_keys,
    audit_events,
    collections,
    docs,
    face_crops,
    images,
    installation,
    jobs,
    subjects,
    usage,
    webhook_endpoints,
)
from app.api.enum_schemas import name_enums
from app.api.external_id_path import document_external_ids, init_external_ids
from app.api.resource import FaceQueueApi
from app.config import Settings
from app.web.idempotency import KEY_HEADER, REPLAYED_HEADER
from app.web.request_context import REQUEST_ID_HEADER

BASE = "/api/v1"

_DESCRIPTION = """Batch face recognition: queue jobs, read results.

To try a call here, press **Authorize**, paste an API key, open the call and press **Execute**.
`GET /api/v1/me` works with any key and says whose it is. The key stays in this page: it is sent
to this service alone, and forgotten when the page is closed.
"""

RESOURCES = (
    collections.blueprint,
    subjects.blueprint,
    face_crops.blueprint,
    images.blueprint,
    jobs.blueprint,
    webhook_endpoints.blueprint,
    api_keys.blueprint,
    audit_events.blueprint,
    usage.blueprint,
    installation.blueprint,
)
# What a script in a browser may read of an answer.
EXPOSED_HEADERS = (
    "Deprecation",
    "ETag",
    "Link",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Sunset",
    REPLAYED_HEADER,
    REQUEST_ID_HEADER,
)
# What it may send, beside what any page may.
SENT_HEADERS = (
    "Authorization",
    "Content-Encoding",
    "Content-Type",
    KEY_HEADER,
    "If-Match",
    "If-None-Match",
    "Prefer",
    REQUEST_ID_HEADER,
)
METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE")
_PREFLIGHT_S = 600  # that a browser need not ask again


def register_api(app: Flask) -> None:
    """Add every resource to the application, and the page that describes them."""
    _allow_origins(app, app.config["SETTINGS"])
    init_external_ids(app)
    api = _new_api(app)
    for resource in RESOURCES:
        api.register_blueprint(resource, url_prefix=BASE)
    app.register_blueprint(docs.blueprint)
    app.register_blueprint(docs.front)


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
            "info": {
                "description": _DESCRIPTION,
                "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
            },
            "security": [{"bearer": []}],
            "servers": [{"url": "/"}],
        },
    )
    api.ma_plugin.converter.add_attribute_function(name_enums(api.spec))
    document_external_ids(api)
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
            allow_headers=SENT_HEADERS,
            methods=METHODS,
            max_age=_PREFLIGHT_S,
        )
