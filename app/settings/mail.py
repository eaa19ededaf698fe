"""SMTP."""

from __future__ import annotations

from pydantic import Field

from app.settings.group import SettingsGroup


class MailSettings(SettingsGroup):
    """How mail leaves."""

    email_host: str | None = Field(default=None, description="SMTP host; unset: no mail")
    email_port: int = Field(default=587, ge=1, le=65535, description="SMTP port")
    email_host_user: str | None = Field(default=None, description="SMTP user")
    email_host_password: str | None = Field(default=None, description="SMTP password")
    email_use_tls: bool = Field(default=True, description="STARTTLS on the SMTP connection")
    email_from: str = Field(default="facequeue@localhost", description="Sender of mails")
