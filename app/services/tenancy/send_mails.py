"""Use case: mail that waits is sent; what a server does not take is tried again for three days."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

import structlog
from flask import current_app
from sqlalchemy import select, text

from app.adapters.mail import send_mail
from app.config import Settings
from app.database.transactions import queue_transaction, tenant_transaction
from app.models.mail import Mail
from app.models.tenant import Tenant

_log = structlog.get_logger(__name__)

_MAILS_A_RUN = 100
# A server that is away costs a run its time-out, and is asked no more in it.
_FAILURES_A_RUN = 3
# Between attempts, the last one again and again. Nobody else tries a mail meanwhile: the first is
# longer than an attempt can take.
_GAPS = tuple(dt.timedelta(minutes=minutes) for minutes in (5, 10, 20, 40, 60))
_GIVEN_UP_AFTER = dt.timedelta(days=3)

_DUE = text("""
SELECT id, tenant_id FROM mails WHERE finished_at IS NULL AND next_attempt_at <= :now
ORDER BY next_attempt_at LIMIT :most
""")


@dataclass(frozen=True)
class _Letter:
    id: UUID
    tenant_id: UUID
    to: str
    subject: str
    body: str


def send_mails(now: dt.datetime | None = None) -> int:
    """Send what is due, one after the other; returns how many a server took.

    Args:
        now: the moment it is taken for; tests move it.
    """
    now = now or dt.datetime.now(dt.UTC)
    settings: Settings = current_app.config["SETTINGS"]
    if settings.email_host is None:
        return 0
    with queue_transaction() as session:
        due = session.execute(_DUE, {"now": now, "most": _MAILS_A_RUN}).all()
    sent, failed = 0, 0
    for row in due:
        letter = _take(row.tenant_id, row.id, now)
        if letter is None:
            continue
        if send_mail(settings, to=letter.to, subject=letter.subject, body=letter.body):
            _finish(letter, now)
            sent += 1
        else:
            failed += 1
        if failed == _FAILURES_A_RUN:
            break
    return sent


def _take(tenant_id: UUID, mail_id: UUID, now: dt.datetime) -> _Letter | None:
    """Lease a mail that is due; it is due again, later each time, unless it is finished."""
    with tenant_transaction(tenant_id) as session:
        mail = session.scalars(select(Mail).where(Mail.id == mail_id).with_for_update()).first()
        if mail is None or mail.finished_at is not None or mail.next_attempt_at > now:
            return None
        contact = session.get_one(Tenant, tenant_id).contact_email
        if contact is None or now - mail.created_at > _GIVEN_UP_AFTER:
            _log.error("mail_given_up", about=mail.about, attempts=mail.attempt_count)
            mail.finished_at = now
            return None
        mail.next_attempt_at = now + _GAPS[min(mail.attempt_count, len(_GAPS) - 1)]
        mail.attempt_count += 1
        return _Letter(mail.id, tenant_id, contact, mail.subject, mail.body)


def _finish(letter: _Letter, now: dt.datetime) -> None:
    with tenant_transaction(letter.tenant_id) as session:
        session.get_one(Mail, letter.id).finished_at = now
