"""Where a request comes from, also behind the operator's proxies."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network

from flask import current_app, request

from app.domain.networks import Networks, networks, parse_address

# Whoever has one address of IPv6 has all of its network.
_NETWORK_BITS = 64


def client_address() -> str | None:
    """The address of the client; of its nearest proxy where TRUSTED_PROXIES does not list that.

    What a client itself writes into `X-Forwarded-For` stands before what our proxies add, and is
    passed over: the last address that is not a trusted proxy counts. Whoever reaches us by a local
    socket, without an address, is a proxy of ours. A client of IPv4 has an address of IPv4, also
    where a socket for both families shows it as one of IPv6.
    """
    trusted = networks(current_app.config["SETTINGS"].trusted_proxies)
    address = _plain(request.remote_addr) if request.remote_addr else None
    told = ",".join(request.headers.getlist("X-Forwarded-For")).split(",")
    for hop in reversed([hop.strip() for hop in told if hop.strip()]):
        if not _is_proxy(address, trusted) or parse_address(hop) is None:
            break
        address = _plain(hop)
    return address


def network_of(address: str | None) -> str:
    """What counts as one client: an address of IPv4, and of IPv6 the network around it."""
    parsed = parse_address(address) if address else None
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed), _NETWORK_BITS), strict=False))
    return str(parsed or address)


def _is_proxy(address: str | None, trusted: Networks) -> bool:
    if address is None:
        return True
    parsed = parse_address(address)
    return parsed is not None and parsed in trusted


def _plain(text: str) -> str:
    return str(parse_address(text) or text)
