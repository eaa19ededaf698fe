"""Note that a key was used: once a minute, beside the request, and never at its expense."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import structlog
from flask import Flask, current_app
from sqlalchemy import func, or_, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from app.database.transactions import tenant_transaction
from app.domain.api_key import USE_NOTED_EVERY, Principal
from app.models.api_key import ApiKey

_log = structlog.get_logger(__name__)

_EVERY_S = USE_NOTED_EVERY.total_seconds()
# As many keys a minute are more than a process has; beyond, some are noted a little too often.
_MOST_REMEMBERED = 10_000
# How many notes may wait for a slow database before further ones are left out.
_MOST_WAITING = 100
_GIVE_UP = text("SET LOCAL statement_timeout = '2s'")

_writer = ThreadPoolExecutor(1, thread_name_prefix="key-use")
_noted: dict[UUID, float] = {}
_waiting: set[UUID] = set()


def note_use(principal: Principal) -> None:
    """Have `last_used_at` of a key written soon, unless it was within the last minute.

    It costs the request one look into memory: the writing is a thread's, whose failures are logged
    and otherwise forgotten.
    """
    now = time.monotonic()
    if now - _noted.get(principal.key_id, -_EVERY_S) < _EVERY_S or len(_waiting) >= _MOST_WAITING:
        return
    if len(_noted) >= _MOST_REMEMBERED:
        _noted.clear()
    _noted[principal.key_id] = now
    _waiting.add(principal.key_id)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 - the documented way to hand it to a thread
    _writer.submit(_write, app, principal.tenant_id, principal.key_id)


def _write(app: Flask, tenant_id: UUID, key_id: UUID) -> None:
    try:
        with app.app_context(), tenant_transaction(tenant_id) as session:
            session.execute(_GIVE_UP)
            # Of several processes one writes, and none waits for whoever holds the key just now.
            due = (
                select(ApiKey.id)
                .where(
                    ApiKey.tenant_id == tenant_id,
                    ApiKey.id == key_id,
                    or_(
                        ApiKey.last_used_at.is_(None),
                        ApiKey.last_used_at <= func.now() - USE_NOTED_EVERY,
                    ),
                )
                .with_for_update(skip_locked=True)
            )
            session.execute(
                update(ApiKey).where(ApiKey.id.in_(due)).values(last_used_at=func.now()),
                execution_options={"synchronize_session": False},
            )
    except SQLAlchemyError as error:
        _log.warning("key_use_not_noted", key_id=str(key_id), error=str(error))
    finally:
        _waiting.discard(key_id)
