"""Who may call a view: `@requires(Scope.X)` on every view that is not on the short list below."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import structlog
from flask import g, request

from app.domain.actor import Actor
from app.domain.api_key import Principal
from app.domain.names import Scope
from app.domain.request_errors import (
    AddressNotAllowed,
    Forbidden,
    Unauthenticated,
)
from app.services.tenancy.authentication import authenticate
from app.services.tenancy.key_use import note_use
from app.web.client_address import client_address
from app.web.operation_doc import describe
from app.web.rate_limit import count_refused_key, count_request
from app.web.refused_keys import refusals_recorded
from app.web.request_context import request_id

# Everything else demands a key; a test goes through all routes.
PUBLIC_ENDPOINTS = frozenset(
    {
        "health.liveness",
        "health.readiness",
        "metrics.metrics",
        "docs.page",
        "docs.asset",
        "front.lead_to_page",
        "api-docs.openapi_json",
    }
)

View = TypeVar("View", bound=Callable[..., Any])


def requires(scope: Scope | None) -> Callable[[View], View]:
    """Let a request through to the view if its key has the scope, and within its rate limit.

    None: any key will do.

    The outermost decorator of a view: a stranger learns nothing about its body. Sets
    `g.principal`.

    Raises:
        Unauthenticated, Forbidden, RateLimited: by the wrapped view, when called.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            with refusals_recorded():
                g.principal = _principal_of_request()
                count_request(g.principal)
                if scope is not None:
                    demand(scope)
            return view(*args, **kwargs)

        scopes = [] if scope is None else [scope.value]
        said = {"x-required-scope": scope.value} if scope is not None else {}
        describe(guarded, operationId=view.__name__, security=[{"bearer": scopes}], **said)
        vars(guarded)["required_scope"] = scope
        return cast("View", guarded)

    return decorate


def principal() -> Principal:
    """Return who makes the request; only inside a view that `requires` guards."""
    return cast("Principal", g.principal)


def demand(scope: Scope) -> None:
    """Ask for a scope beside the view's own, where what the body says needs it.

    Raises:
        Forbidden: the key lacks it.
    """
    if not principal().may(scope):
        raise Forbidden(f"The API key lacks the scope {scope}")


def actor() -> Actor:
    """Return the same for the audit log."""
    return Actor(principal().key_id, request_id(), client_address())


def _principal_of_request() -> Principal:
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not key.strip():
        raise Unauthenticated("Send the header `Authorization: Bearer YOUR_API_KEY`")
    try:
        found = authenticate(key.strip(), client_address())
    except (Unauthenticated, AddressNotAllowed) as error:
        count_refused_key(error.status)
        raise
    note_use(found)
    structlog.contextvars.bind_contextvars(tenant_id=str(found.tenant_id), key_id=str(found.key_id))
    return found
