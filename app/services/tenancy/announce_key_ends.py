"""Use case: a tenant's contact is told that a key will end, 14 and 3 days before, once each."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import text

from app.database.transactions import queue_transaction, tenant_transaction
from app.models.api_key import ApiKey
from app.services.tenancy.write_mail import write_mail

DAYS_BEFORE = (3, 14)

# Whoever made a key for fewer days than that knows when it ends.
_ENDING = text("""
SELECT id, tenant_id FROM api_keys
WHERE revoked_at IS NULL AND expires_at > :now AND expires_at <= :now + make_interval(days => :days)
  AND created_at < expires_at - make_interval(days => :days)
""")


def announce_key_ends(now: dt.datetime | None = None) -> int:
    """Write the mails that are due.

    Args:
        now: the moment it is taken for; tests move it.

    Returns:
        How many were written.
    """
    now, told, written = now or dt.datetime.now(dt.UTC), set[UUID](), 0
    for days in DAYS_BEFORE:
        with queue_transaction() as session:
            ending = session.execute(_ENDING, {"now": now, "days": days}).all()
        for key in ending:
            if key.id not in told:
                written += _announce(key.tenant_id, key.id, days)
        told.update(key.id for key in ending)
    return written


def _announce(tenant_id: UUID, key_id: UUID, days: int) -> bool:
    with tenant_transaction(tenant_id) as session:
        key = session.get(ApiKey, key_id)
        if key is None or key.expires_at is None:
            return False
        end = f"{key.expires_at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
        body = (
            f"The API key {key.name!r} ({key.prefix}…, {key.id}) ends at {end}. "
            "Requests with it are answered with 401 from then on.\n\n"
            f"POST /api/v1/api-keys/{key.id}/rotate makes a successor, beside which it works for a "
            "while; put that in its place. If nobody needs the key, nothing is to be done.\n"
        )
        subject = f"API key {key.prefix}… ends on {key.expires_at.astimezone(dt.UTC):%Y-%m-%d}"
        # With its end, so that a key that was given another is told of again.
        about = f"api_key.ends:{key.id}:{key.expires_at.isoformat()}:{days}"
        return write_mail(session, tenant_id, about, subject, body)
