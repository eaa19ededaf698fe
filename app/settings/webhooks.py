"""Webhooks."""

from __future__ import annotations

from pydantic import Field, field_validator

from app.domain.receivers import parse_receiver
from app.settings.group import CommaList, SettingsGroup


class WebhookSettings(SettingsGroup):
    """Whether webhooks go out, and where to."""

    enable_webhooks: bool = Field(
        default=True, description="Deliver webhooks; while it is off they wait"
    )
    webhook_allowed_hosts: CommaList = Field(
        default=(),
        description="Private hosts, addresses or CIDRs that webhooks may reach, each with `:PORT`; "
        "without one, ports 80 and 443",
    )
    max_webhook_endpoints: int = Field(default=20, ge=1, description="Webhook endpoints a tenant")

    @field_validator("webhook_allowed_hosts")
    @classmethod
    def _receivers(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        for position, entry in enumerate(entries, start=1):
            try:
                parse_receiver(entry)
            except ValueError as error:
                raise ValueError(f"entry {position}: {error}") from error
        return entries
