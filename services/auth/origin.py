"""Where a request comes from: the client's address as the gateway saw it."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from fastapi import Request


def address_of(request: Request, proxies: Sequence[IPv4Network | IPv6Network]) -> str | None:
    """The client's address. X-Forwarded-For counts only when one of our proxies sent it, and only
    its last entry: that one the proxy wrote itself."""
    peer = request.client.host if request.client else ""
    try:
        address = ip_address(peer)
        if any(address in network for network in proxies):
            forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
            address = ip_address(forwarded) if forwarded else address
    except ValueError:
        return None
    return str(address)
