"""A part of every change and biometric read: its audit event, in the same transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.domain.actor import SYSTEM, Actor
from app.domain.identifiers import new_id

# Plain SQL: every request that changes something pays for this row.
_INSERT = text("""
INSERT INTO audit_events (id, tenant_id, action, actor_key_id, actor_name, actor_address,
  target_type, target_id, detail, request_id)
VALUES (:id, :tenant_id, :action, :actor_key_id, :actor_name, :actor_address, :target_type,
  :target_id, :detail, :request_id)
""")


# Whoever runs the command that this process is; nobody in a server.
_operator: ContextVar[Actor] = ContextVar("operator", default=SYSTEM)


@contextmanager
def acting_as(operator: Actor) -> Iterator[None]:
    """Within this, what the system does by itself is done by `operator`."""
    token = _operator.set(operator)
    try:
        yield
    finally:
        _operator.reset(token)


def record_audit(
    session: Session,
    tenant_id: UUID,
    actor: Actor,
    action: str,
    target_type: str,
    target_id: UUID | None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add one event; `detail` holds ids, counts and digests, never a client's name for anyone."""
    if not current_app.config["SETTINGS"].enable_audit_logging:
        return
    if actor == SYSTEM:
        actor = _operator.get()
    session.flush()  # what the event tells of comes before it
    session.execute(
        _INSERT,
        {
            "id": new_id(),
            "tenant_id": tenant_id,
            "action": action,
            "actor_key_id": actor.key_id,
            "actor_name": actor.name,
            "actor_address": actor.address,
            "target_type": target_type,
            "target_id": target_id,
            "detail": json.dumps(detail or {}),
            "request_id": actor.request_id,
        },
    )
