"""Redis, and the broker where it is another."""

from __future__ import annotations

from pydantic import Field, field_validator

from app.settings.group import SettingsGroup, leads_to
from app.settings.redis_address import RedisAddress, require_usable_files

_RABBITMQ = frozenset({"amqp", "amqps", "pyamqp"})


class BrokerSettings(SettingsGroup):
    """Where hints and counters live."""

    redis_url: str = Field(
        default="redis://127.0.0.1:6379/0", description="Redis, where the next two are unset"
    )
    celery_broker_url: str | None = Field(default=None, description="The broker; Redis or RabbitMQ")
    cache_url: str | None = Field(default=None, description="Redis database for rate limits")
    redis_sentinel_password: str | None = Field(
        default=None, description="What Redis' sentinels ask for, where they do"
    )

    @field_validator("redis_url", "cache_url")
    @classmethod
    def _redis_address(cls, url: str | None) -> str | None:
        if url is not None:
            _require_usable(url)
        return url

    @field_validator("celery_broker_url")
    @classmethod
    def _broker_address(cls, url: str | None) -> str | None:
        if url is not None and RedisAddress.is_one(url):
            _require_usable(url)
        elif url is not None and not leads_to(url, _RABBITMQ):
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


def _require_usable(url: str) -> None:
    address = RedisAddress.parse(url)
    if address.tls is not None:
        require_usable_files(address.tls)
