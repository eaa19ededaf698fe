"""A part of use cases that tell a tenant's contact: the mail is written in their transaction.

The chore `send-mail` sends it, so that no mail server ever holds up what it is about.
"""

from __future__ import annotations

from uuid import UUID

from flask import current_app
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.domain.identifiers import new_id
from app.models.mail import Mail
from app.models.tenant import Tenant


def write_mail(session: Session, tenant_id: UUID, about: str, subject: str, body: str) -> bool:
    """Leave a mail for the tenant's contact, once for each `about`.

    Returns:
        Whether one was written: not where it was before, where EMAIL_HOST is not set, and where the
        tenant has no contact.
    """
    tenant = session.get(Tenant, tenant_id)
    nobody = tenant is None or tenant.contact_email is None
    if nobody or current_app.config["SETTINGS"].email_host is None:
        return False
    row = {"tenant_id": tenant_id, "about": about, "subject": subject, "body": body}
    written = insert(Mail).values(id=new_id(), **row).on_conflict_do_nothing().returning(Mail.id)
    return session.execute(written).first() is not None
