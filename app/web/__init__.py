"""What every HTTP face shares: request context, errors, limits, and the operators' pages."""

from __future__ import annotations

from flask import Flask

from app.config import Settings
from app.web import health, metrics
from app.web.body_input import init_body_input
from app.web.body_limits import largest_body
from app.web.deprecation import init_deprecation
from app.web.error_responses import init_errors
from app.web.own_writes import init_own_writes
from app.web.packed_answers import init_packed_answers
from app.web.rate_limit import init_rate_limit
from app.web.request_context import init_request_context
from app.web.request_times import init_request_times
from app.web.slashes import init_slashes


def register_web(app: Flask) -> None:
    """Prepare the application for its faces; health and metrics need no key."""
    settings: Settings = app.config["SETTINGS"]
    app.config["MAX_CONTENT_LENGTH"] = largest_body(settings)
    app.json.sort_keys = False  # type: ignore[attr-defined] # Flask's default provider has it
    init_packed_answers(app)
    init_request_context(app)
    init_request_times(app)
    init_errors(app)
    init_rate_limit(app, settings)
    init_deprecation(app)
    init_own_writes(app, settings)
    init_body_input(app)
    init_slashes(app)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(metrics.blueprint)
