"""Refused keys leave audit events: one a minute for a key of ours, or else for a client's address.

What a stranger presented instead of a key is not written down: it may be a password.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog
from flask import current_app, g, request
from limits import RateLimitItemPerMinute
from sqlalchemy.exc import SQLAlchemyError

from app.domain.actor import Actor
from app.domain.identifiers import INSTALLATION
from app.domain.request_errors import (
    Forbidden,
    KeyRefused,
    RequestError,
    Unauthenticated,
)
from app.services.tenancy.record_refusal import record_refusal
from app.web.client_address import client_address, network_of
from app.web.rate_limit import Counts, Policy, shared_counts
from app.web.request_context import request_id

_EXTENSION = "facequeue-refused-keys"
_ONE_EVENT = Policy("refusal_event", RateLimitItemPerMinute(1))

_log = structlog.get_logger(__name__)


@contextmanager
def refusals_recorded() -> Iterator[None]:
    """Record that a key was refused within this, if one was presented; the refusal goes on."""
    try:
        yield
    except (Unauthenticated, Forbidden) as error:
        if request.headers.get("Authorization"):
            _record(error)
        raise


def _record(error: RequestError) -> None:
    tenant_id, key_id = _whose(error)
    address = client_address()
    if not _is_first(str(key_id) if key_id else network_of(address)):
        return
    actor = Actor(key_id, request_id(), address)
    detail = {"code": error.code, "reason": error.detail, "operation": request.endpoint}
    try:
        record_refusal(tenant_id, actor, detail)
    except SQLAlchemyError as failure:  # the answer is still that the key is refused
        _log.warning("refusal_not_recorded", error=str(failure))


def _whose(error: RequestError) -> tuple[UUID, UUID | None]:
    if isinstance(error, KeyRefused):
        return error.tenant_id, error.key_id
    caller = g.get("principal")
    return (caller.tenant_id, caller.key_id) if caller else (INSTALLATION, None)


def _is_first(whom: str) -> bool:
    counts: Counts | None = current_app.extensions.get(_EXTENSION)
    if counts is None:
        counts = shared_counts(current_app.config["SETTINGS"])
        current_app.extensions[_EXTENSION] = counts
    return counts.hit(_ONE_EVENT, whom)[0]
