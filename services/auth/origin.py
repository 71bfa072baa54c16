"""Where a request comes from: the client's address as the gateway saw it."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from fastapi import Request


def address_of(request: Request, proxies: Sequence[IPv4Network | IPv6Network]) -> str | None:
    """The client's address. X-Forwarded-For counts only when one of our proxies sent it, and only
    its last entry: that one the proxy wrote itself."""
    peer = request.client.host if request.client else ""
    try:
        address = _plain(ip_address(peer))
        if any(address in network for network in proxies):
            forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
            address = _plain(ip_address(forwarded)) if forwarded else address
    except ValueError:
        return None
    return str(address)


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """`::ffff:192.0.2.1` as 192.0.2.1: else all IPv4 would be one network, and one place."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
