"""The URL of a receiver, taken apart once so that no second parser can read it differently."""

from __future__ import annotations

import re
from dataclasses import dataclass

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from app.domain.request_errors import WebhookUrlInvalid
from app.domain.webhooks import MAX_URL_LENGTH

_DEFAULT_PORTS = {"http": 80, "https": 443}
# What parsers disagree about: blanks, controls, a backslash that some read as a slash.
_AMBIGUOUS = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True)
class Target:
    """Scheme, host (IPv6 without brackets), port, and the path with its query."""

    scheme: str
    host: str
    port: int
    request_uri: str

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def parse_target(url: str) -> Target:
    """Take a URL apart.

    Raises:
        WebhookUrlInvalid: not an absolute http(s) URL, or one that carries credentials.
    """
    if len(url) > MAX_URL_LENGTH or _AMBIGUOUS.search(url):
        raise WebhookUrlInvalid("The URL is too long, or has blanks, controls or a backslash")
    try:
        parts = parse_url(url)
    except LocationParseError as error:
        raise WebhookUrlInvalid("The URL cannot be read") from error
    if parts.scheme not in _DEFAULT_PORTS or not parts.host:
        raise WebhookUrlInvalid("The URL must be absolute and start with https:// or http://")
    if parts.auth is not None or "%" in parts.host:
        raise WebhookUrlInvalid("The URL may not carry credentials or a network zone")
    port = _DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    if port == 0:
        raise WebhookUrlInvalid("The URL's port cannot be called")
    return Target(parts.scheme, parts.host.strip("[]"), port, parts.request_uri)
