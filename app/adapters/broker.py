"""The broker as kombu, Celery's messaging library, is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from kombu.connection import Connection

from app.adapters.redis_client import sentinel_options
from app.settings.broker import BrokerSettings
from app.settings.redis_address import RedisAddress

# A reserved message comes back after this; recovery does not wait for it: leases expire sooner.
VISIBILITY_TIMEOUT_S = 600
_ANSWERS_WITHIN_S, _CONNECTS_WITHIN_S = 5.0, 2.0


@dataclass(frozen=True)
class Broker:
    """`url` may be several of kombu's, `ssl` is None without TLS; `is_redis` or RabbitMQ."""

    url: str
    ssl: Mapping[str, str] | None
    transport_options: Mapping[str, Any]
    is_redis: bool


def broker_of(settings: BrokerSettings) -> Broker:
    """Where tasks are published, and how it is spoken to."""
    url = settings.broker_url
    if not RedisAddress.is_one(url):
        return Broker(url, None, {"confirm_publish": True}, is_redis=False)
    address = RedisAddress.parse(url)
    # TLS is said beside the URL: of a URL alone kombu would believe any certificate.
    return Broker(_kombu_url(address), address.tls, _transport(settings, address), is_redis=True)


def broker_connection(settings: BrokerSettings, timeout_s: float) -> Connection:
    """A connection for one look at the broker; it is made when it is first used."""
    broker = broker_of(settings)
    options = dict(broker.transport_options)
    if broker.is_redis:
        options |= {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s}
    return Connection(  # type: ignore[no-untyped-call] # kombu's is untyped
        broker.url,
        ssl=dict(broker.ssl) if broker.ssl else None,
        connect_timeout=timeout_s,
        transport_options=options,
    )


def _transport(settings: BrokerSettings, address: RedisAddress) -> dict[str, Any]:
    options: dict[str, Any] = {
        "visibility_timeout": VISIBILITY_TIMEOUT_S,
        "socket_timeout": _ANSWERS_WITHIN_S,
        "socket_connect_timeout": _CONNECTS_WITHIN_S,
        "health_check_interval": 10,
    }
    if address.service is not None:
        options["master_name"] = address.service
        options["sentinel_kwargs"] = sentinel_options(settings, address)
    return options


def _kombu_url(address: RedisAddress) -> str:
    """One URL, or one for each sentinel."""
    scheme = "sentinel" if address.service else "rediss" if address.tls else "redis"
    username, password = (
        quote(part or "", safe="") for part in (address.username, address.password)
    )
    login = f"{username}:{password}@" if username or password else ""
    return ";".join(
        f"{scheme}://{login}{f'[{host}]' if ':' in host else host}:{port}/{address.number}"
        for host, port in address.hosts
    )
