"""Signing, timing and addressing of webhooks, as Standard Webhooks 1.0 has them. Pure.

A secret is derived from the service's key, the endpoint and its generation, so that no dump of
the database holds one. After a rotation both generations sign until the old one runs out.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from uuid import UUID

# Ten attempts over about three days, as the standard advises; each delay gets a little jitter.
DELAYS_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
MAX_ATTEMPTS = len(DELAYS_SECONDS) + 1
TOLERANCE_SECONDS = 300
_PREFIX = "whsec_"

Address = IPv4Address | IPv6Address


def secret(key: bytes, endpoint_id: UUID, generation: int) -> str:
    """What the receiver verifies with: `whsec_` and 32 bytes in base64."""
    name = f"webhook:{endpoint_id}:{generation}".encode()
    return _PREFIX + base64.b64encode(hmac.digest(key, name, hashlib.sha256)).decode()


def sign(secrets: Iterable[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header: one `v1,…` for each secret, separated by spaces."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(
        "v1,"
        + base64.b64encode(
            hmac.digest(base64.b64decode(each.removeprefix(_PREFIX)), signed, hashlib.sha256)
        ).decode()
        for each in secrets
    )


def delay_seconds(attempts: int, jitter: float) -> int | None:
    """How long to wait after so many failed attempts; None when it is enough.

    `jitter` between 0 and 1 adds up to a fifth, so that a receiver coming back is not flooded.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    base = DELAYS_SECONDS[attempts - 1]
    return base + round(base * jitter / 5)


def is_public(address: str) -> bool:
    """Whether we may connect there: a global unicast address, also inside IPv6 wrappings."""
    try:
        found: Address = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if inner is not None:
            found = inner
        elif found in _NAT64:
            found = IPv4Address(int(found) & 0xFFFF_FFFF)
    return found.is_global and not found.is_multicast and not found.is_reserved


class _Nat64:
    """64:ff9b::/96 carries an IPv4 address in its last 32 bits."""

    def __contains__(self, address: IPv6Address) -> bool:
        return int(address) >> 32 == 0x0064_FF9B << 64


_NAT64 = _Nat64()
