"""A slash too many at the end of a path: the client is told the path that is meant."""

from __future__ import annotations

from flask import Flask, current_app, redirect, request
from werkzeug.exceptions import NotFound as NoRoute
from werkzeug.wrappers import Response

from app.domain.request_errors import NotFound


def init_slashes(app: Flask) -> None:
    """Lead paths that end in a slash to those without it."""
    app.before_request(_lead_to_the_path_without)


def _lead_to_the_path_without() -> Response | None:
    if not isinstance(request.routing_exception, NoRoute) or not request.path.endswith("/"):
        return None
    meant = request.path.rstrip("/")
    routes = current_app.create_url_adapter(request)
    if routes is None or not routes.allowed_methods(meant):
        return None
    if request.method not in {"GET", "HEAD"}:
        # Not all clients send a body, or a key, to where they are redirected.
        raise NotFound(f"The path has a slash too many at its end: {meant} is the right one")
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    return redirect(meant + query, 308)
