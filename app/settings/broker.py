"""Redis, and the broker where it is another."""

from __future__ import annotations

from pydantic import Field

from app.settings.group import SettingsGroup


class BrokerSettings(SettingsGroup):
    """Where hints and counters live."""

    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0", description="Redis, where the next two are unset"
    )
    celery_broker_url: str | None = Field(default=None, description="The broker; Redis or RabbitMQ")
    cache_url: str | None = Field(default=None, description="Redis database for rate limits")

    @property
    def broker_url(self) -> str:
        """Where tasks are published."""
        return self.celery_broker_url or self.redis_url

    @property
    def rate_limit_url(self) -> str:
        """Where request counters live."""
        return self.cache_url or self.redis_url
