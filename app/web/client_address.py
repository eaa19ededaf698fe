"""Where a request comes from, also behind the operator's proxies."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

from flask import current_app, request

# Whoever has one address of IPv6 has all of its network.
_NETWORK_BITS = 64


def client_address() -> str | None:
    """The address of the client; of its nearest proxy where TRUSTED_PROXIES does not list that.

    What a client itself writes into `X-Forwarded-For` stands before what our proxies add, and is
    passed over: the last address that is not a trusted proxy counts. Whoever reaches us by a local
    socket, without an address, is a proxy of ours.
    """
    address = request.remote_addr or None
    told = ",".join(request.headers.getlist("X-Forwarded-For")).split(",")
    for hop in reversed([hop.strip() for hop in told if hop.strip()]):
        if not _is_proxy(address) or not _is_address(hop):
            break
        address = hop
    return address


def network_of(address: str | None) -> str:
    """What counts as one client: an address of IPv4, and of IPv6 the network around it."""
    if address is None or ":" not in address:
        return str(address)
    found = IPv6Address(address)
    if found.ipv4_mapped:  # as a socket for both has it
        return str(found.ipv4_mapped)
    return str(ip_network((int(found), _NETWORK_BITS), strict=False))


def _is_proxy(address: str | None) -> bool:
    trusted: tuple[str, ...] = current_app.config["SETTINGS"].trusted_proxies
    return address is None or (
        _is_address(address) and any(ip_address(address) in ip_network(t) for t in trusted)
    )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
