"""The operator's list of receivers that webhooks may reach although they are not public."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

WEB_PORTS = frozenset({80, 443})
"""What an entry without a port opens."""

_HIGHEST_PORT = 65_535
_ENTRY = re.compile(r"(?:\[([^\]]+)\]|([^:\[\]]+))(?::([0-9]{1,5}))?")
_NAME = re.compile(r"[^\s/@*]+")


@dataclass(frozen=True)
class Receiver:
    """One entry: a host name in lower case, or else a network; and the ports that it opens."""

    name: str | None
    network: IPv4Network | IPv6Network | None
    ports: frozenset[int]

    def is_host(self, host: str, port: int) -> bool:
        """Whether this is the entry of a host's name at a port."""
        return self.name == _folded(host) and port in self.ports

    def has_address(self, address: IPv4Address | IPv6Address, port: int) -> bool:
        """Whether an address lies in this entry's network, and a port is open there."""
        return self.network is not None and address in self.network and port in self.ports


def parse_receiver(entry: str) -> Receiver:
    """Read `HOST`, `ADDRESS` or `CIDR`, each with `:PORT` or without; IPv6 with a port in brackets.

    Raises:
        ValueError: it is none of these.
    """
    network = _network(entry)
    if network is not None:  # IPv6 without brackets: its colons are no port
        return Receiver(None, network, WEB_PORTS)
    parts = _ENTRY.fullmatch(entry)
    if parts is None:
        raise ValueError("not HOST, ADDRESS or CIDR, each with :PORT or without")
    bracketed, plain, port = parts.groups()
    network = _network(bracketed or plain)
    if network is None and (bracketed or not _NAME.fullmatch(plain)):
        raise ValueError("not HOST, ADDRESS or CIDR, each with :PORT or without")
    name = None if network is not None else _folded(plain)
    return Receiver(name, network, WEB_PORTS if port is None else frozenset({_port(port)}))


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _port(text: str) -> int:
    if not 0 < int(text) <= _HIGHEST_PORT:
        raise ValueError("a port is a number from 1 to 65535")
    return int(text)


def _folded(host: str) -> str:
    return host.lower().rstrip(".")
