"""IP addresses and networks as people write them; two spellings of one are the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# ::ffff:0:0/96, in which a socket for both families shows clients of IPv4.
_MAPPED_BITS = 96


def parse_address(text: str) -> Address | None:
    """Read an address, one of IPv4 inside IPv6 as that of IPv4; None when it is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def parse_network(text: str) -> Network:
    """Read an address or a CIDR without bits beyond its length, likewise.

    Raises:
        ValueError: it is neither.
    """
    if "%" in text:
        raise ValueError("an address without a zone is meant")
    network = ip_network(text)
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= _MAPPED_BITS:
        return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    return network


@dataclass(frozen=True)
class Networks:
    """Addresses of several networks, of both families; no network of IPv6 holds any of IPv4."""

    v4: tuple[IPv4Network, ...]
    v6: tuple[IPv6Network, ...]

    def __contains__(self, address: Address) -> bool:
        nets: tuple[Network, ...] = (*self.v4, *self.v6)
        return any(address in network for network in nets)

    def cover(self, others: Networks) -> bool:
        """Whether every address of `others` is among these."""
        return all(any(o.subnet_of(n) for n in self.v4) for o in others.v4) and all(
            any(o.subnet_of(n) for n in self.v6) for o in others.v6
        )


def networks(entries: Sequence[str]) -> Networks:
    """Read a list, each only once however often it is asked for.

    Raises:
        ValueError: an entry is no network.
    """
    return _networks(tuple(entries))


# As many lists as there are keys with one and in use; what is not among them is read again.
@lru_cache(maxsize=4096)
def _networks(entries: tuple[str, ...]) -> Networks:
    parsed = [parse_network(entry) for entry in entries]
    # Neighbours become one, so that a network over both lies in it.
    return Networks(
        tuple(collapse_addresses(n for n in parsed if isinstance(n, IPv4Network))),
        tuple(collapse_addresses(n for n in parsed if isinstance(n, IPv6Network))),
    )
