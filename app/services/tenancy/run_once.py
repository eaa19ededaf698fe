"""Use case: a request that bears an Idempotency-Key has its effect once, however often it is sent.

The key's row is written in the transaction of the effect, so that neither is there without the
other. A concurrent duplicate waits for that row, then replays what it finds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import current_app
from psycopg2.errors import LockNotAvailable
from sqlalchemy import Row, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.adapters.secret_box import SecretBox
from app.database.transactions import tenant_transaction
from app.domain.request_errors import (
    IdempotencyInProgress,
    IdempotencyKeyReused,
    SecretAlreadyShown,
)

KEPT_FOR = dt.timedelta(hours=24)
SECRET_KEPT_FOR = dt.timedelta(minutes=10)
_WAIT_S = 10

# Takes over the row of a key that has outlived its day.
_CLAIM = text("""
INSERT INTO idempotency_keys AS k (tenant_id, key, fingerprint, expires_at)
VALUES (:tenant_id, :key, :fingerprint, now() + :kept_for)
ON CONFLICT (tenant_id, key) DO UPDATE
SET fingerprint = excluded.fingerprint, expires_at = excluded.expires_at, created_at = now(),
    status = NULL, headers = NULL, body = NULL, secret_until = NULL
WHERE k.expires_at <= now()
RETURNING k.key
""")
_KEEP = text("""
UPDATE idempotency_keys
SET status = :status, headers = CAST(:headers AS jsonb), body = :body,
    secret_until = now() + :secret_for
WHERE tenant_id = :tenant_id AND key = :key
""")
_FIND = text("""
SELECT fingerprint, status, headers, body, secret_until, secret_until <= now() AS secret_is_gone
FROM idempotency_keys WHERE tenant_id = :tenant_id AND key = :key
""")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer as it is kept and replayed."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class KeyedRequest:
    """Which request this is: the client's key, a digest of all that it asks, and how to keep it."""

    tenant_id: UUID
    key: str
    fingerprint: bytes
    shows_secret: bool = False


def run_once(request: KeyedRequest, effect: Callable[[], Answer]) -> tuple[Answer, bool]:
    """Run `effect` in one transaction with its key, or replay the answer that the key has.

    Returns:
        The answer, and whether it is a replay.

    Raises:
        IdempotencyInProgress: the first request with this key still runs after ten seconds.
        IdempotencyKeyReused: the key belongs to another request.
        SecretAlreadyShown: the answer held a secret, and is kept no more.
        Exception: whatever `effect` raises; nothing is kept then.
    """
    with tenant_transaction(request.tenant_id) as session:
        if not _claim(session, request, _WAIT_S):
            return _replay(session, request), True
        answer = effect()
        _keep(session, request, answer)
        return answer, False


def _claim(session: Session, request: KeyedRequest, wait_s: int) -> bool:
    session.execute(text(f"SET LOCAL lock_timeout = '{wait_s:d}s'"))
    try:
        claimed = session.execute(
            _CLAIM,
            {
                "tenant_id": request.tenant_id,
                "key": request.key,
                "fingerprint": request.fingerprint,
                "kept_for": KEPT_FOR,
            },
        ).first()
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise IdempotencyInProgress(retry_after=1) from error
        raise
    return claimed is not None


def _keep(session: Session, request: KeyedRequest, answer: Answer) -> None:
    body = _secret_box().seal(answer.body.decode()) if request.shows_secret else answer.body
    session.execute(
        _KEEP,
        {
            "tenant_id": request.tenant_id,
            "key": request.key,
            "status": answer.status,
            "headers": current_app.json.dumps(answer.headers),
            "body": body,
            "secret_for": SECRET_KEPT_FOR if request.shows_secret else None,
        },
    )


def _replay(session: Session, request: KeyedRequest) -> Answer:
    row: Row[Any] | None = session.execute(
        _FIND, {"tenant_id": request.tenant_id, "key": request.key}
    ).one_or_none()
    if row is None or row.status is None:
        raise IdempotencyInProgress(retry_after=1)
    if bytes(row.fingerprint) != request.fingerprint:
        raise IdempotencyKeyReused("Use a new Idempotency-Key for another request")
    if row.secret_until is None:
        return Answer(row.status, row.headers, bytes(row.body))
    if row.secret_is_gone or row.body is None:
        raise SecretAlreadyShown("Make a new one: the secret was shown once and is not kept")
    return Answer(row.status, row.headers, _secret_box().open(bytes(row.body)).encode())


def _secret_box() -> SecretBox:
    return SecretBox.from_settings(current_app.config["SETTINGS"])
