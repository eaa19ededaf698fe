"""Where a request comes from, also behind the operator's proxies."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from flask import current_app, request


def client_address() -> str:
    """The address of the client; of its nearest proxy where TRUSTED_PROXIES does not list that.

    What a client itself writes into `X-Forwarded-For` stands before what our proxies add, and is
    passed over: the last address that is not a trusted proxy counts.
    """
    peer = request.remote_addr or ""
    trusted = tuple(ip_network(entry) for entry in current_app.config["SETTINGS"].trusted_proxies)

    def is_proxy(address: str) -> bool:
        try:
            return any(ip_address(address) in network for network in trusted)
        except ValueError:  # not an address: whoever wrote it is no proxy of ours
            return False

    if not is_proxy(peer):
        return peer
    told = ",".join(request.headers.getlist("X-Forwarded-For")).split(",")
    hops = [hop.strip() for hop in told if hop.strip()]
    return next((hop for hop in reversed(hops) if not is_proxy(hop)), peer)
