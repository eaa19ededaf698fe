"""Which network addresses an outgoing call may reach: public ones, and what the operator lists.

The list of special networks is IANA's (IPv4 and IPv6 special-purpose address registries), written
out because Python's own copy of it differs between patch releases.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from app.domain.receivers import parse_receiver

IpAddress = IPv4Address | IPv6Address

_IPV6_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP_INTERFACES = frozenset({0x00005EFE, 0x02005EFE})

_FORBIDDEN_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; holds Alibaba's metadata service
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's metadata and health service, in public space
        "169.254.0.0/16",  # link-local; holds the metadata service of most clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; holds Oracle's metadata service
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)

_FORBIDDEN_IPV6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries an IPv4 address
        "3fff::/20",  # documentation
    )
)


def is_public(address: IpAddress) -> bool:
    """Whether an address is on the public internet, and not another address in disguise.

    IPv6 is public only inside 2000::/3, so that loopback, unique-local, link-local, multicast,
    IPv4-mapped and IPv4-compatible addresses are all refused by one rule. An address behind the
    well-known NAT64 prefix (RFC 6052), which IPv6-only networks need, is judged by the IPv4
    address that it carries.
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _FORBIDDEN_IPV4)
    if address in _NAT64:
        return is_public(_embedded_ipv4(address))
    if address not in _IPV6_UNICAST or any(address in network for network in _FORBIDDEN_IPV6):
        return False
    is_isatap = (int(address) >> 32) & 0xFFFFFFFF in _ISATAP_INTERFACES  # RFC 5214
    return not is_isatap or is_public(_embedded_ipv4(address))


def _embedded_ipv4(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFFFFFF)


def literal_address(host: str) -> IpAddress | None:
    """The address that a host of a URL spells out, in whichever way resolvers read it.

    `127.1`, `0x7f000001` and `2130706433` are all 127.0.0.1. None for a name.
    """
    host = host.rstrip(".")
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def is_own_name(host: str) -> bool:
    """Whether a name means the machine that looks it up, whatever a name server says (RFC 6761)."""
    return f".{host.lower().rstrip('.')}".endswith(".localhost")


class AllowList:
    """Receivers that the operator lets webhooks reach although they are not public.

    Args:
        entries: host names, addresses or CIDRs, with or without a port, as `parse_receiver` takes
            them. A name covers whatever it resolves to.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self._receivers = tuple(parse_receiver(entry) for entry in entries)

    def has_host(self, host: str, port: int) -> bool:
        """Whether the host of a URL, a name or a literal address, is listed with a port."""
        try:
            return self.has_address(ip_address(host), port)
        except ValueError:
            return any(receiver.is_host(host, port) for receiver in self._receivers)

    def has_address(self, address: IpAddress, port: int) -> bool:
        """Whether an address that a host name led to is listed with a port."""
        return any(receiver.has_address(address, port) for receiver in self._receivers)

    def objection_to(self, host: str, port: int) -> str | None:
        """What speaks against the host of a new URL, said without asking a name server.

        Addresses and this machine's own names need to be listed; other names are judged by what
        they lead to at the time. None when nothing speaks against it.
        """
        address = literal_address(host)
        if (
            (address is None and not is_own_name(host))
            or self.has_host(host, port)
            or (address is not None and self.has_address(address, port))
        ):
            return None
        reason = (
            "is an address: webhooks go to host names"
            if address is not None and is_public(address)
            else "is not on the public internet"
        )
        return f"{host} {reason}, and the operator has not listed it with port {port}"
