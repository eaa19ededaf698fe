"""Who may ask, from where, and how often."""

from __future__ import annotations

from pydantic import Field, field_validator

from app.domain.networks import parse_network
from app.settings.group import CommaList, SettingsGroup


class AccessSettings(SettingsGroup):
    """Keys, rates, proxies and browsers."""

    enable_api_rate_limiting: bool = Field(
        default=True, description="Limit requests per key and tenant, and wrong keys per address"
    )
    api_rate_limit_per_minute: int = Field(default=600, ge=1, description="Requests a key a minute")
    api_tenant_rate_limit_per_minute: int = Field(
        default=6000, ge=1, description="Requests a minute of all keys of a tenant"
    )
    api_key_days: int = Field(
        default=365, ge=0, le=36_500, description="Life of a key made without an expiry; 0: no end"
    )
    max_api_keys: int = Field(default=100, ge=1, description="Live keys a tenant may make")
    trusted_proxies: CommaList = Field(
        default=(),
        description="Addresses or CIDRs whose `X-Forwarded-For` is believed: the proxies before us",
    )
    cors_allowed_origins: CommaList = Field(default=(), description="Origins of browser clients")

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        for position, entry in enumerate(entries, start=1):
            try:
                parse_network(entry)
            except ValueError as error:
                raise ValueError(f"entry {position} is neither an address nor a CIDR") from error
        return entries
