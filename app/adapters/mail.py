"""Mail to people, when the operator has configured an SMTP server."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage

import structlog

from app.config import Settings

_log = structlog.get_logger(__name__)

_TIMEOUT_S = 10.0


def send_mail(settings: Settings, *, to: str, subject: str, body: str) -> bool:
    """Send one plain-text mail; whoever must not lose it tries again.

    Returns:
        Whether a server took it. False as well when EMAIL_HOST is not set.
    """
    if settings.email_host is None:
        return False
    try:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = settings.email_from, to, subject
        message.set_content(body)
        _deliver(settings, settings.email_host, message)
    except (OSError, smtplib.SMTPException, ValueError) as error:  # the last: no address of mail
        _log.warning("mail_not_sent", subject=subject, error=type(error).__name__)
        return False
    return True


def greet(settings: Settings, *, timeout_s: float) -> str:
    """What keeps us from handing over a mail, empty when nothing does; nothing is sent.

    The password is tried by mails alone.
    """
    if settings.email_host is None:
        return "EMAIL_HOST is not set"
    try:
        _connect(settings, settings.email_host, timeout_s).quit()
    except (OSError, smtplib.SMTPException) as error:
        return type(error).__name__
    return ""


def _deliver(settings: Settings, host: str, message: EmailMessage) -> None:
    with _connect(settings, host, _TIMEOUT_S) as server:
        if settings.email_host_user and settings.email_host_password:
            server.login(settings.email_host_user, settings.email_host_password)
        server.send_message(message)


def _connect(settings: Settings, host: str, timeout_s: float) -> smtplib.SMTP:
    server = smtplib.SMTP(host, settings.email_port, timeout=timeout_s)
    try:
        if settings.email_use_tls:
            server.starttls(context=ssl.create_default_context())
    except BaseException:
        server.close()
        raise
    return server
