"""Redis, and the broker where it is another."""

from __future__ import annotations

from pydantic import Field, field_validator

from app.settings.group import SettingsGroup, leads_to

_REDIS = frozenset({"redis", "rediss"})
_RABBITMQ = frozenset({"amqp", "amqps", "pyamqp"})


class BrokerSettings(SettingsGroup):
    """Where hints and counters live."""

    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0", description="Redis, where the next two are unset"
    )
    celery_broker_url: str | None = Field(default=None, description="The broker; Redis or RabbitMQ")
    cache_url: str | None = Field(default=None, description="Redis database for rate limits")

    @field_validator("redis_url", "cache_url")
    @classmethod
    def _redis_address(cls, url: str | None) -> str | None:
        if url is not None and not leads_to(url, _REDIS):
            raise ValueError("not of the form redis://:PASSWORD@HOST:PORT/NUMBER")
        return url

    @field_validator("celery_broker_url")
    @classmethod
    def _broker_address(cls, url: str | None) -> str | None:
        if url is not None and not leads_to(url, _REDIS | _RABBITMQ):
            raise ValueError("a broker is redis://… or amqp://USER:PASSWORD@HOST:PORT/VHOST")
        return url

    @property
    def broker_url(self) -> str:
        """Where tasks are published."""
        return self.celery_broker_url or self.redis_url

    @property
    def rate_limit_url(self) -> str:
        """Where request counters live."""
        return self.cache_url or self.redis_url
